package cmd

import (
	"net/http"
	"sync/atomic"

	"sandbar/web"
)

// front serves the pages as soon as there are some.
type front struct {
	pages atomic.Pointer[web.Site]
}

func (f *front) show(s *web.Site) { f.pages.Store(s) }

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := f.pages.Load(); s != nil {
		s.ServeHTTP(w, r)
		return
	}
	web.Waiting(w, r)
}
