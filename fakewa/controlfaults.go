package fakewa

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// ActiveFault is a fault in force.
type ActiveFault struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Fault  string    `json:"fault"` // as it was written
	From   time.Time `json:"from"`
	Until  time.Time `json:"until,omitzero"` // zero: until it is cleared
	Met    int64     `json:"met"`            // requests or updates in its scope so far
	Struck int64     `json:"struck"`         // of those, the ones it changed something for
}

// Faults returns the faults in force, by id.
func (s *Server) Faults() []ActiveFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.core.faults.expire(time.Now())
	out := make([]ActiveFault, 0, len(s.core.faults.list))
	for _, a := range s.core.faults.list {
		f := ActiveFault{ID: a.id, Kind: a.scope.Kind, Fault: a.raw, From: a.from, Met: a.met, Struck: a.hits}
		if a.scope.For > 0 {
			f.Until = a.from.Add(a.scope.For)
		}
		out = append(out, f)
	}
	return out
}

func sortedKinds() []string { return slices.Sorted(maps.Keys(faultKinds)) }

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) { reply(w, s.Faults()) }

func (s *Server) getFault(w http.ResponseWriter, r *http.Request) {
	for _, f := range s.Faults() {
		if f.ID == mux.Vars(r)["id"] {
			reply(w, f)
			return
		}
	}
	complain(w, http.StatusNotFound, ErrNoFault)
}

// putFaults replaces all faults, or none of them when one is wrong.
func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	b, ok := document(w, r)
	if !ok {
		return
	}
	n, err := strict.Parse("faults", b)
	if err == nil && n.Kind == strict.List {
		err = errors.New("faults: has to be a block of id: fault")
	}
	all := map[string]*armed{}
	if err == nil {
		for _, f := range n.Fields {
			a, e := remoteFault(f.Key, f.Value.YAML())
			err = errors.Join(err, checkID(f.Key), e)
			all[f.Key] = a
		}
	}
	if err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	s.mu.Lock()
	s.core.faults.clearAll()
	for id, a := range all {
		s.core.faults.apply(time.Now(), id, a)
	}
	s.mu.Unlock()
	s.follow()
	reply(w, s.Faults())
}

func (s *Server) putFault(w http.ResponseWriter, r *http.Request) {
	b, ok := document(w, r)
	if !ok {
		return
	}
	id := mux.Vars(r)["id"]
	if _, err := remoteFault(id, b); err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	if err := s.Apply(id, b); err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	s.getFault(w, r)
}

// remoteFault reads a fault that came over the network, which may not make the fake read files.
func remoteFault(id string, data []byte) (*armed, error) {
	if n, err := strict.Parse("fault "+id, data); err == nil && n.Field("file") != nil {
		return nil, strict.Errors{n.Field("file").Error("file", "cannot be read from here", "send the durations as samples: [350ms, 1.2s]")}
	}
	return parseFault("fault "+id, data)
}

func (s *Server) deleteFault(w http.ResponseWriter, r *http.Request) {
	if err := s.Clear(mux.Vars(r)["id"]); err != nil {
		complain(w, http.StatusNotFound, err)
		return
	}
	reply(w, done{})
}

func (s *Server) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.core.faults.clearAll()
	s.mu.Unlock()
	s.follow()
	reply(w, done{})
}
