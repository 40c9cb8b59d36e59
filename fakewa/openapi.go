package fakewa

import (
	_ "embed"
	"encoding/json"
	"net/http"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of what the fake serves, as JSON.
func OpenAPI() ([]byte, error) {
	n, err := strict.Parse("openapi.yaml", openAPI)
	if err != nil {
		return nil, err
	}
	return json.Marshal(n.Any())
}

func (s *Server) getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	b, err := OpenAPI()
	if err != nil {
		complain(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}
