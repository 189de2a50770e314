import { expect, test } from "vitest";
import { isHostName } from "#config/host-name.ts";

test("labels of letters, digits, hyphens and underscores make a host name", () => {
  expect(
    ["a", "nas-1.lan", "my_host", "a.b.", "3com.com"].filter((each) => !isHostName(each)),
  ).toEqual([]);
});

test("addresses, empty labels and odd characters do not", () => {
  const wrong = [
    "",
    "1.2.3.4",
    "300.1.1",
    "a..b",
    "-a",
    "a b",
    "a/b",
    "[a]",
    "é",
    `${"a".repeat(64)}.b`,
    "a.".repeat(130),
  ];
  expect(wrong.filter(isHostName)).toEqual([]);
});
