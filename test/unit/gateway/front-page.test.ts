/** The page at the root. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { frontPage } from "#gateway/front-page.ts";

function page(upload: boolean): { readonly html: string; readonly policy: string } {
  const { headers, body } = frontPage({ group: "group1", upload });
  const html = Buffer.from(body as Uint8Array).toString();
  return { html, policy: headers["Content-Security-Policy"] ?? "" };
}

test("the policy allows the page's own style and form, and nothing else", () => {
  const { html, policy } = page(true);
  const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  expect(policy).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  );
});

test("nothing comes from outside, and no script is needed", () => {
  const { html } = page(true);
  expect(html).not.toMatch(/<script|src=|https?:\/\/(?!this-node)|style="/);
  expect(html).toContain('action="/upload" enctype="multipart/form-data"');
});

test("where uploads are off there is no form", () => {
  expect(page(false).html).not.toContain("<form");
});
