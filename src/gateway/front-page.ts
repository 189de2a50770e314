/** The page at `/` until the dashboard comes: what this is, and a form that uploads without a script. Pure. */
import { createHash } from "node:crypto";
import { commonHeaders } from "#gateway/responses.ts";
import type { HttpResponse } from "#net/http-message.ts";

export interface FrontPageFacts {
  readonly group: string;
  readonly upload: boolean;
}

const style = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
  form { display: flex; flex-wrap: wrap; gap: .75rem; padding: 1rem; border: 1px solid; border-radius: .5rem }
  code { font-family: ui-monospace, monospace }
`;

export function frontPage(facts: FrontPageFacts): HttpResponse {
  const styleHash = createHash("sha256").update(style).digest("base64");
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return {
    status: 200,
    headers: {
      ...commonHeaders,
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy,
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-cache",
    },
    body: Buffer.from(html(facts)),
  };
}

/** A group's name is letters and digits, and needs no escaping. */
function html({ group, upload }: FrontPageFacts): string {
  const form = upload
    ? `<form method="post" action="/upload" enctype="multipart/form-data">
  <label>Files <input type="file" name="file" multiple required></label>
  <button>Upload</button>
</form>
<p>The reply lists the file ids and their addresses. The same from a terminal:</p>
<pre><code>curl -F file=@picture.jpg http://this-node/upload</code></pre>`
    : "<p>Uploads over HTTP are switched off on this node.</p>";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cairn</title>
<style>${style}</style>
</head>
<body>
<h1>Cairn</h1>
<p>This node stores files and serves them over FastDFS and HTTP. It belongs to <strong>${group}</strong>; a file is at
<code>/${group}/M00/00/00/…</code>, just as its id says.</p>
${form}
<p><a href="/readyz">State</a> · <a href="/metrics">Metrics</a></p>
</body>
</html>
`;
}
