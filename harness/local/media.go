package local

import (
	"net/http"
	"strconv"
	"strings"
)

// mediaTypes are the content types of the media store, by the first element of the path.
var mediaTypes = map[string]string{
	"image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg", "document": "application/pdf", "sticker": "image/webp",
}

// maxMedia bounds what one link can weigh.
const maxMedia = 16 << 20

// mediaStore is the place where the business keeps its media: GET /image/2048 answers 2,048 bytes of an image.
func mediaStore() http.Handler {
	blank := make([]byte, 64<<10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, size, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		n, err := strconv.Atoi(size)
		mime := mediaTypes[kind]
		if mime == "" || err != nil || n < 0 || n > maxMedia {
			http.NotFound(w, r)
			return
		}
		w.Header()["Content-Type"] = []string{mime}
		w.Header()["Content-Length"] = []string{size}
		for n > 0 {
			k := min(n, len(blank))
			if _, err := w.Write(blank[:k]); err != nil {
				return
			}
			n -= k
		}
	})
}
