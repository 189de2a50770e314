/** Under which headers a file is served. */
import { expect, test } from "vitest";
import { contentHeaders, validatorHeaders } from "#gateway/file-headers.ts";

function headers(base: string, query = ""): Readonly<Record<string, string>> {
  return contentHeaders({
    base,
    query: new URLSearchParams(query),
    defaultContentType: "application/x-default",
  });
}

const stem = "CgkAAmsDkLqADHp4ACAAABc5iXA";

test("the extension tells the type; slaves have their own", () => {
  expect(headers(`${stem}711.png`)["Content-Type"]).toBe("image/png");
  expect(headers(`${stem}711_s.tar.gz`)["Content-Type"]).toBe("application/gzip");
  expect(headers(`${stem}7112345`)["Content-Type"]).toBe("application/x-default");
});

test("a download is asked for by filename or download", () => {
  const base = `${stem}711.png`;
  expect(headers(base)["Content-Disposition"]).toBeUndefined();
  expect(headers(base, "download=0")["Content-Disposition"]).toBeUndefined();
  expect(headers(base, "download")["Content-Disposition"]).toBe(`attachment; filename="${base}"`);
  expect(headers(base, "filename=a.png")["Content-Disposition"]).toBe(
    'attachment; filename="a.png"',
  );
  expect(headers(base, "filename=")["Content-Disposition"]).toBeUndefined();
});

test("what a browser would run is put into a sandbox", () => {
  const policies = ["html", "svg", "xml", "png", "pdf"].map(
    (extension) => headers(`${stem}00.${extension}`)["Content-Security-Policy"],
  );
  expect(policies).toEqual(["sandbox", "sandbox", "sandbox", undefined, undefined]);
});

test("a time of change in the future is not told", () => {
  const validators = { entityTag: '"x"', modifiedSeconds: 1000 };
  expect(validatorHeaders(validators, 1000)).toEqual({
    ETag: '"x"',
    "Last-Modified": "Thu, 01 Jan 1970 00:16:40 GMT",
  });
  expect(validatorHeaders(validators, 999)).toEqual({ ETag: '"x"' });
});
