import { expect, test } from "vitest";
import { gatewaySection } from "#config/sections/gateway-section.ts";

test("a content type is a media type, with parameters or without", () => {
  const { type } = gatewaySection.entries.default_content_type;
  const good = ["text/plain", "application/vnd.x+json", "text/html; charset=utf-8", 'a/b;c="d"'];
  const bad = [
    "",
    "text",
    "text/",
    "/plain",
    "text/plain;",
    "text/plain\r\nX: y",
    "a b/c",
    `a/${"b".repeat(200)}`,
  ];
  expect(good.filter((each) => "problem" in type.read(each))).toEqual([]);
  expect(bad.filter((each) => "value" in type.read(each))).toEqual([]);
});
