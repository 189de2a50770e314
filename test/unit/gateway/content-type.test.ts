/** Media types and extensions. */
import { expect, test } from "vitest";
import { contentTypeOf, extensionOfType, isActiveType } from "#gateway/content-type.ts";

test("an extension of any case has its type, an unknown one the default", () => {
  expect(contentTypeOf("JPG", "x/y")).toBe("image/jpeg");
  expect(contentTypeOf("tar.gz", "x/y")).toBe("application/gzip");
  expect(["", "nope", "constructor", "__proto__"].map((one) => contentTypeOf(one, "x/y"))).toEqual(
    Array(4).fill("x/y"),
  );
});

test("a type has its usual extension", () => {
  const types = ["image/jpeg", "TEXT/HTML; charset=x", "video/mpeg", "text/plain", "audio/ogg"];
  expect(types.map(extensionOfType)).toEqual(["jpg", "html", "mpeg", "txt", "ogg"]);
  expect(extensionOfType("application/octet-stream")).toBeUndefined();
  expect(extensionOfType("application/x-www-form-urlencoded")).toBeUndefined();
});

test("types that run scripts are known", () => {
  const types = ["text/html", "image/svg+xml; charset=utf-8", "image/png", "application/pdf"];
  expect(types.map(isActiveType)).toEqual([true, true, false, false]);
});
