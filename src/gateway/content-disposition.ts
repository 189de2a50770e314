/** Content-Disposition of downloads (RFC 6266): a name that anybody may choose must not become a header or a path. Pure. */

const maxNameLength = 200;
/** Control characters, and those that turn the direction of writing, by which `exe` can look like `jpg`. */
const hidden = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** `attachment; filename="…"`, and `filename*` where the name is more than plain ASCII. */
export function attachment(name: string): string {
  const clean = cleanName(name);
  const plain = clean.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const header = `attachment; filename="${plain}"`;
  return plain === clean ? header : `${header}; filename*=UTF-8''${encodeExtended(clean)}`;
}

function cleanName(name: string): string {
  const text = name.toWellFormed().replace(hidden, "").replace(/[/\\]/g, "_");
  const cut = [...text].slice(0, maxNameLength).join("").trim();
  return cut === "" || /^\.+$/.test(cut) ? "download" : cut;
}

/** RFC 8187: letters, digits and a few marks stay as they are. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
