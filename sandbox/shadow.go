package sandbox

import "strings"

// shadowSuffix is behind the name of a plugin that runs in the shadow of the one without it: it does all that it does, and nothing of what
// it makes is published. No name that people choose has it.
const shadowSuffix = "~shadow"

// ShadowOf is the name of the shadow of a plugin.
func ShadowOf(name string) string { return name + shadowSuffix }

// CutShadow is the name of the plugin whose shadow a name is of; false when it is of none.
func CutShadow(name string) (of string, ok bool) {
	if of, ok = strings.CutSuffix(name, shadowSuffix); !ok {
		of = ""
	}
	return of, ok
}

// proposedSuffix is behind the name of what waits for a second person to be deployed.
const proposedSuffix = "~proposed"

// ProposalOf is the name of what is proposed for a plugin.
func ProposalOf(name string) string { return name + proposedSuffix }

// CutProposal is the name of the plugin for which something of this name is proposed; false when nothing is.
func CutProposal(name string) (of string, ok bool) {
	if of, ok = strings.CutSuffix(name, proposedSuffix); !ok {
		of = ""
	}
	return of, ok
}

// Shadow says that the plugin runs in the shadow of another.
func (c *Config) Shadow() bool {
	_, ok := CutShadow(c.Name)
	return ok
}
