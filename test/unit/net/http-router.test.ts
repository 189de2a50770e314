/** Which handler answers. */
import { expect, test } from "vitest";
import { HttpRouter } from "#net/http-router.ts";

const router = new HttpRouter<string>([
  { pattern: "/", methods: { GET: "page", POST: "upload" } },
  { pattern: "/upload/*", methods: { PUT: "put" } },
  { pattern: "/both", methods: { GET: "get", HEAD: "head" } },
  { pattern: "/files/*", methods: { GET: "file" } },
]);

test("whole paths and paths below a pattern are found, the first that fits", () => {
  expect(router.match("GET", "/")).toEqual({ kind: "found", handler: "page", route: "/" });
  expect(router.match("PUT", "/upload/a/b")).toMatchObject({ handler: "put" });
  expect(router.match("PUT", "/upload/")).toMatchObject({ handler: "put" });
  expect(router.match("PUT", "/upload")).toEqual({ kind: "missing" });
  expect(router.match("GET", "/filesystem")).toEqual({ kind: "missing" });
});

test("paths are compared as they are", () => {
  for (const path of ["", "//", "/./", "/BOTH", "/both/", "/%62oth"]) {
    expect(router.match("GET", path)).toEqual({ kind: "missing" });
  }
});

test("HEAD goes to GET unless it has a handler of its own", () => {
  expect(router.match("HEAD", "/")).toMatchObject({ handler: "page" });
  expect(router.match("HEAD", "/both")).toMatchObject({ handler: "head" });
});

test("a wrong method is told which there are", () => {
  expect(router.match("DELETE", "/")).toEqual({
    kind: "wrong-method",
    allow: "GET, POST, HEAD, OPTIONS",
  });
  expect(router.match("constructor", "/both")).toEqual({
    kind: "wrong-method",
    allow: "GET, HEAD, OPTIONS",
  });
});
