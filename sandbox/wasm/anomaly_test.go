package wasm

import (
	"os"
	"path/filepath"
	"testing"

	"sandbar/sandbox"
	"sandbar/sandbox/sandboxtest"
)

// unusual looks at a series and at samples with every function there is; what it returns says which of them was wrong.
const unusual = `
#include "sandbar.h"
static double values[300], rest[900], verdict[5], three[3];
static const double now[] = {1000, 0, 50}, then[] = {900, 500, 0};
static const int periods[] = {10};
static signed char what[3];
SB_EXPORT(sandbar_process) int process(int n) {
  int buffer = sb_buffer_new(300, 1, 60);
  for (int i = 0; i < 300; i++) {
    values[i] = 100 + i % 7;
    sb_buffer_set(buffer, i * 60000000000ll, 1, values[i]);
  }
  if (sb_anomaly_look("ewma", 4, values, 300, 299, 60, verdict)) return 1;
  if (verdict[0] >= 1 || verdict[2] < 102 || verdict[2] > 104 || verdict[3] >= verdict[4]) return 2;
  values[299] = 900;
  if (!sb_anomaly_look("ewma far=4", 10, values, 300, 299, 60, verdict) || verdict[1] != 1) return 3;
  if (sb_anomaly_buffer("jump", 4, buffer, 1, -1, verdict) != 0 || verdict[2] < 100) return 4;
  if (sb_anomaly_buffer("jump", 4, buffer, 1, 1ll << 60, verdict) != -1) return 5;
  sb_anomaly_compare("pearson", 7, now, 3, now, 3, 0, three);
  if (three[0] < 0.999 || three[1] == three[1]) return 6;
  sb_anomaly_compare("chi_square", 10, now, 3, then, 3, 0, three);
  if (three[1] < 1 || three[2] > 0.001) return 7;
  sb_anomaly_compare("quantile_shift", 14, values, 300, values, 300, 0.5, three);
  if (three[0] != three[1] || three[2] != 0) return 8;
  sb_anomaly_compare("rank_sum", 8, values, 300, values, 300, 0, three);
  if (three[0] != 0.5 || three[1] < 0.9) return 9;
  sb_anomaly_compare("earth_mover", 11, now, 3, then, 3, 0, three);
  if (!(three[0] > 0)) return 10;
  sb_anomaly_categories(now, then, 3, 1e-6, what);
  if (what[0] != 0 || what[1] != -1 || what[2] != 1) return 11;
  sb_anomaly_decompose(values, 300, periods, 1, rest);
  double d = rest[299] + rest[599] + rest[899] - 900;
  return d < -1e-6 || d > 1e-6 ? 12 : 0;
}
`

// TestAnomaly: a module finds what a plugin in Lua finds.
func TestAnomaly(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "unusual.c")
	if err := os.WriteFile(file, []byte(unusual), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := loaded(engine(t), "process_message_inject_limit = 1", compileC(t, file))
	if err != nil {
		t.Fatal(err)
	}
	res := p.Process(sandboxtest.Sample(t))
	if res.Outcome != sandbox.OK || res.Status != 0 {
		t.Errorf("%v, %d %s %s", res.Outcome, res.Status, res.Text, res.Trace)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
