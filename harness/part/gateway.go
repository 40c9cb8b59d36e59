package part

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
)

// runGateway balances over the WhatsApp replicas, and is the place where the business keeps its media.
func runGateway(ctx context.Context, s Spec) error {
	b := NewBalancer(NewTransport())
	control := http.NewServeMux()
	control.HandleFunc("PUT /backends", func(w http.ResponseWriter, r *http.Request) {
		var in Backends
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in)
		if err == nil {
			err = b.Set(in)
		}
		answer(w, err)
	})
	d, err := open(s, map[string]http.Handler{HTTP: ready(proxy(b)), Control: guarded(s.Key, control), Media: mediaStore()}, nil)
	if err != nil {
		return err
	}
	return errors.Join(d.wait(ctx), d.close())
}

// proxy passes requests on through a balancer.
func proxy(b *Balancer) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.Out.Header["X-Forwarded-For"] = nil },
		Transport:  b,
		BufferPool: &buffers{},
		ErrorLog:   log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) // the replica broke the connection: so does the gateway
		},
	}
}

// buffers lends the proxy its copy buffers.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[]byte); ok {
		return *v
	}
	return make([]byte, 16<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

// mediaTypes are the content types of the media store, by the first element of the path.
var mediaTypes = map[string]string{
	"image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg", "document": "application/pdf", "sticker": "image/webp",
}

// maxMedia bounds what one link can weigh.
const maxMedia = 16 << 20

// mediaStore answers GET /image/2048 with 2,048 bytes of an image.
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
		w.Header().Set("Content-Type", mime)
		w.Header().Set("Content-Length", size)
		for n > 0 {
			k := min(n, len(blank))
			if _, err := w.Write(blank[:k]); err != nil {
				return
			}
			n -= k
		}
	})
}

// answer tells how a command went.
func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
