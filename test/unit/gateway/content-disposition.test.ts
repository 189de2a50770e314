/** Download names, which anybody may choose. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { attachment } from "#gateway/content-disposition.ts";

test("plain names stay as they are", () => {
  expect(attachment("report 2026.pdf")).toBe('attachment; filename="report 2026.pdf"');
});

test("others come twice: as RFC 8187 writes them, and in plain letters for old clients", () => {
  expect(attachment("naïve €.txt")).toBe(
    "attachment; filename=\"na_ve _.txt\"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt",
  );
  expect(attachment("a\"b'(c)*.txt")).toBe(
    "attachment; filename=\"a_b'(c)*.txt\"; filename*=UTF-8''a%22b%27%28c%29%2A.txt",
  );
  expect(attachment("100%.txt")).toContain('filename="100_.txt"');
});

test("no name becomes a header, a path or another name", () => {
  expect(attachment("a\r\nSet-Cookie: x=1")).toBe('attachment; filename="aSet-Cookie: x=1"');
  expect(attachment("../../etc/passwd")).toBe('attachment; filename=".._.._etc_passwd"');
  expect(attachment("C:\\x.exe")).toBe('attachment; filename="C:_x.exe"');
  expect(attachment("photo\u202egpj.exe")).toBe('attachment; filename="photogpj.exe"');
  expect(["", " ", "..", "\u0000", "\n"].map(attachment)).toEqual(
    Array(5).fill('attachment; filename="download"'),
  );
});

test("whatever the name, the header is one line of printable ASCII of bounded length", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 3000 }), (name) => {
      const header = attachment(name);
      expect(header).toMatch(
        /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]+"(?:; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/,
      );
      expect(header.length).toBeLessThan(3000);
    }),
  );
});
