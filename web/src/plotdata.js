// Values on their way to a plot: cut to what is seen, gathered to so many as there are pixels for, stacked.

// WAYS are how several values become one.
export const WAYS = { mean: "mean", max: "largest", min: "smallest" };

const gather = {
  mean: (sum, n) => sum / n,
  max: (sum, n, low, high) => high,
  min: (sum, n, low) => low,
};

// fit takes [times, ...values], a part {min, max} or null, and how many points may be seen. It returns the columns of that part, gathered
// where there are more points. A gap stays one: null, where every value of a group is; undefined is joined over.
export function fit(columns, part, most, way = "mean") {
  const [times] = columns;
  let from = 0;
  let to = times.length;
  if (part) {
    from = Math.max(0, bound(times, part.min) - 1); // one outside on each side, so that lines go on to the edge
    to = Math.min(times.length, bound(times, part.max) + 2);
  }
  const n = to - from;
  if (n <= most) return columns.map((c) => c.slice(from, to));
  const size = Math.ceil(n / Math.max(1, most));
  const groups = Math.ceil(n / size);
  const out = columns.map(() => new Array(groups));
  for (let g = 0; g < groups; g++) {
    const a = from + g * size;
    const b = Math.min(to, a + size);
    out[0][g] = times[a];
    for (let c = 1; c < columns.length; c++) out[c][g] = one(columns[c], a, b, gather[way]);
  }
  return out;
}

function one(values, a, b, way) {
  let sum = 0;
  let n = 0;
  let low = Infinity;
  let high = -Infinity;
  let gap = false;
  for (let i = a; i < b; i++) {
    const v = values[i];
    if (typeof v === "number") {
      sum += v;
      n++;
      if (v < low) low = v;
      if (v > high) high = v;
    } else if (v === null) gap = true;
  }
  if (n) return way(sum, n, low, high);
  return gap ? null : undefined;
}

// bound is the index of the first time that is not before t.
function bound(times, t) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (times[mid] < t) low = mid + 1;
    else high = mid;
  }
  return low;
}

// stack adds each column that is seen to those before it, and says between which of them areas lie.
export function stack(columns, hidden) {
  const n = columns[0].length;
  const sum = new Array(n).fill(0);
  const bands = [];
  let below = 0;
  const out = columns.map((values, c) => {
    if (c === 0 || hidden(c - 1)) return values;
    const here = values.map((v, i) => (typeof v === "number" ? (sum[i] += v) : sum[i]));
    if (below) bands.push({ series: [c, below] });
    below = c;
    return here;
  });
  return { data: out, bands };
}
