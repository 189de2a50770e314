/** Header values with parameters, as clients really write them. */
import { expect, test } from "vitest";
import { dispositionFilename, parseParameters, utf8Header } from "#gateway/header-parameters.ts";

function parameters(header: string): Record<string, string> {
  return Object.fromEntries(parseParameters(header).parameters);
}

test("value and parameters are taken apart, quoted or not", () => {
  const parsed = parseParameters('Form-Data; name="a;b=c"; FileName=x.jpg ;size=5');
  expect(parsed.value).toBe("form-data");
  expect([...parsed.parameters]).toEqual([
    ["name", "a;b=c"],
    ["filename", "x.jpg"],
    ["size", "5"],
  ]);
});

test("quotes may be escaped, backslashes of Windows paths are not", () => {
  expect(parameters('x; a="say \\"hi\\"; b=1"')).toEqual({ a: 'say "hi"; b=1' });
  expect(parameters('x; a="C:\\dir\\file.txt"')).toEqual({ a: "C:\\dir\\file.txt" });
});

test("what is malformed is left out, the rest stays; of two the first counts", () => {
  expect(parameters("x; flag; a=1; =2; a=3; b")).toEqual({ a: "1" });
  expect(parameters('x; a="open')).toEqual({ a: "open" });
  expect(parameters("")).toEqual({});
  expect(parameters(`x${"; a".repeat(5000)}`)).toEqual({});
});

test("a file's name comes from filename* before filename, without directories", () => {
  const name = (header: string): string | undefined => dispositionFilename(parseParameters(header));
  expect(name('form-data; name="f"')).toBeUndefined();
  expect(name('form-data; filename=""')).toBe("");
  expect(name('form-data; filename="C:\\a\\b.jpg"')).toBe("b.jpg");
  expect(name('form-data; filename="../x/y.jpg"')).toBe("y.jpg");
  expect(name("attachment; filename=\"a\"; filename*=UTF-8''na%C3%AFve.txt")).toBe("naïve.txt");
  expect(name("attachment; filename=\"a\"; filename*=UTF-8''%ff")).toBe("a");
  expect(name("attachment; filename=\"a\"; filename*=latin1''x")).toBe("a");
});

test("UTF-8 in headers is read as such, ISO 8859-1 as it was meant", () => {
  expect(utf8Header(Buffer.from("naïve €").toString("latin1"))).toBe("naïve €");
  expect(utf8Header("na\u00efve")).toBe("naïve");
});
