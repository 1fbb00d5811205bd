// What may stand at a place of a matcher: names of headers and fields, operators and the values that were seen.

const HEADERS = ["Type", "Logger", "Hostname", "EnvVersion", "Payload", "Severity", "Pid", "Timestamp", "Uuid", "TRUE", "FALSE", "Fields["];
const MOST = 12;

// proposals are what may stand at the caret: {from, options}, with from the place that an option replaces.
export function proposals(text, caret, fields) {
  const before = text.slice(0, caret);
  // A value, behind NAME OPERATOR and an open quotation mark.
  const value = /(Fields\[[^\]]*\]|\w+)\s*(?:==|!=|>=?|<=?)\s*(['"])([^'"]*)$/.exec(before);
  if (value && !inside(before.slice(0, value.index))) {
    const [, name, mark, begun] = value;
    const known = fields.find((f) => f.name === name)?.top ?? [];
    return {
      from: caret - begun.length,
      options: known.map((t) => t.value).filter((v) => v.startsWith(begun) && v !== begun && !v.includes(mark)).slice(0, MOST).map((v) => ({ text: v + mark, note: "value" })),
    };
  }
  if (inside(before)) return { from: caret, options: [] };
  const word = /(?:Fields\[[^\]]*|\w+)$/.exec(before);
  if (!word) return { from: caret, options: [] };
  const begun = word[0];
  const low = begun.toLowerCase();
  const names = [...new Set([...fields.map((f) => f.name), ...HEADERS])];
  const bare = (n) => n.replace(/^Fields\[/, "").toLowerCase();
  const fits = names.filter((n) => n !== begun && (n.toLowerCase().startsWith(low) || (n.startsWith("Fields[") && low.length > 1 && bare(n).startsWith(low))));
  return { from: caret - begun.length, options: fits.slice(0, MOST).map((n) => ({ text: n, note: fields.find((f) => f.name === n)?.types?.[0] ?? "" })) };
}

// inside says whether a quotation is open at the end of a text.
function inside(text) {
  let mark = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (mark && c === "\\") i++;
    else if (mark) mark = c === mark ? "" : mark;
    else if (c === "'" || c === '"') mark = c;
  }
  return mark !== "";
}
