package web

import (
	"encoding/json"
	"net/http"
	"strings"
)

// waiting is told to everybody, so it does not have the error.
const waiting = "this host is starting: it takes submissions and keeps them; page and API come when its streams can be reached. Its log has the reason."

// Waiting answers in place of a Site that is not there yet, the API as JSON.
func Waiting(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "2")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		http.Error(w, strings.ToUpper(waiting[:1])+waiting[1:], http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	json.NewEncoder(w).Encode(fault{Text: waiting}) // who has gone does not hear it
}
