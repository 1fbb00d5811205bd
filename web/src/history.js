// Samples of counters over the last minutes, kept while the reader goes from page to page.

const KEY = "history";
const SPAN = 3 * 60_000;

// history returns {add(started, now, values), points(name), span}. values are numbers by name.
export function history() {
  let kept = { started: "", samples: [] };
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY)) ?? kept;
  } catch {
    // begin anew
  }
  return {
    span: SPAN,
    add(started, now, values) {
      if (kept.started !== started) kept = { started, samples: [] };
      kept.samples = kept.samples.filter(([t]) => t > now - SPAN && t < now);
      kept.samples.push([now, values]);
      try {
        sessionStorage.setItem(KEY, JSON.stringify(kept));
      } catch {
        // then it lasts as long as the page
      }
    },
    points: (name) => kept.samples.filter(([, v]) => v[name] !== undefined).map(([t, v]) => [t, v[name]]),
  };
}

// rates returns (name, count, at) → per second over the last seconds, or NaN at first.
export function rates(over = 10_000) {
  const known = new Map();
  return (name, count, at) => {
    let samples = known.get(name) ?? [];
    if (samples.length && samples.at(-1)[1] > count) samples = []; // it was started anew
    samples = [...samples.filter(([t]) => t >= at - over && t < at), [at, count]];
    known.set(name, samples);
    const [t0, c0] = samples[0];
    return samples.length > 1 ? (1000 * (count - c0)) / (at - t0) : NaN;
  };
}
