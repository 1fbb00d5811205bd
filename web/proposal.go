package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"sandbar/host/deploy"
	"sandbar/host/runner"
	"sandbar/sandbox"
)

// proposed answers when a submission waits for a second person, which is no error.
func proposed(c echo.Context, err error) error {
	var r *deploy.Refusal
	if !errors.As(err, &r) || r.Proposal == "" {
		return err
	}
	return answer(c, http.StatusAccepted, struct {
		Name  string       `json:"name"` // under which it waits
		State runner.State `json:"state"`
		Why   []string     `json:"why"`
	}{r.Proposal, runner.Proposed, r.Why})
}

// approve deploys what waits for a second person.
func (s *Site) approve(c echo.Context) error {
	var in struct {
		Note string `json:"note"`
	}
	if err := s.readJSON(c, &in); err != nil {
		return err
	}
	name, err := s.resolve(c)
	if err != nil {
		return err
	}
	of, ok := sandbox.CutProposal(name)
	if !ok {
		return refuse(http.StatusNotFound, "%s is no proposal; what is proposed has a name like %s", name, sandbox.ProposalOf(name))
	}
	present, err := ifMatch(c)
	if err != nil {
		return err
	}
	by, err := actor(c)
	if err != nil {
		return err
	}
	ctx, cancel := finish(c)
	defer cancel()
	st, err := s.opt.Plugins.Approve(ctx, by, of, present, in.Note)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, asPlugin(st))
}
