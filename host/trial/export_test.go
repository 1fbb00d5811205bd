package trial

import "context"

// RunBeside is Run with its workers from the first message on.
func (t *Trial) RunBeside(ctx context.Context, src Source) error {
	for i, p := range t.Plugins {
		p.at = i
	}
	return t.beside(ctx, newFeeder(t.Plugins, src), &batch{})
}
