// JSON with line breaks, for reading.

// indent works on the text itself: numbers keep all their digits, and a text that was cut off or is no JSON
// is still shown as far as it goes.
export function indent(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  let out = "";
  let depth = 0;
  const line = () => "\n" + "  ".repeat(Math.min(depth, 40));
  // A string (perhaps cut off), a bracket that closes at once, a single mark, space, or anything else.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|\{\s*\}|\[\s*\]|[{}[\],:]|\s+|[^\s"{}[\],:]+/gs)) {
    if (token === "{" || token === "[") {
      depth++;
      out += token + line();
    } else if (token === "}" || token === "]") {
      depth = Math.max(0, depth - 1);
      out += line() + token;
    } else if (token === ",") {
      out += token + line();
    } else if (token === ":") {
      out += ": ";
    } else if (token.trim()) {
      out += /^[{[]/.test(token) ? token.replace(/\s/g, "") : token;
    }
  }
  return out;
}
