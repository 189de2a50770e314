import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { Changelog, parseChangelog } from "#tracker/changelog.ts";
import { maxChangelogBytes, maxChangelogReplyBytes } from "#tracker/limits.ts";

const group = GroupName("group1");
const deleted = { name: "deleted", group, id: StorageId("10.0.0.1") } as const;
const moved = { ...deleted, name: "moved", newAddress: "10.0.0.9" } as const;

test("a deleted storage has an empty argument, a moved one its new address", () => {
  const changelog = new Changelog([]);
  changelog.append(deleted, 1700000000);
  changelog.append(moved, 1700000001);
  expect(changelog.text()).toBe(
    "1700000000 group1 10.0.0.1 4 \n1700000001 group1 10.0.0.1 3 10.0.0.9\n",
  );
});

test("a reader gets what it has not read, and nothing twice", () => {
  const changelog = new Changelog([]);
  changelog.append(deleted, 1);
  const first = changelog.read(0);
  expect(first).toEqual({ text: "1 group1 10.0.0.1 4 \n", next: 21 });
  expect(changelog.read(first.next)).toEqual({ text: "", next: 21 });
  changelog.append(moved, 2);
  expect(changelog.read(first.next).text).toBe("2 group1 10.0.0.1 3 10.0.0.9\n");
});

test("a long changelog is told in parts of whole lines", () => {
  const changelog = new Changelog([]);
  for (let at = 0; at < 1000; at += 1) changelog.append(moved, 1700000000 + at);
  let position = 0;
  let text = "";
  let parts = 0;
  for (;;) {
    const part = changelog.read(position);
    if (part.text === "") break;
    expect(part.text.length).toBeLessThanOrEqual(maxChangelogReplyBytes);
    expect(part.text.endsWith("\n")).toBe(true);
    text += part.text;
    position = part.next;
    parts += 1;
  }
  expect(text).toBe(changelog.text());
  expect(parts).toBe(5);
});

test("the oldest lines are dropped beyond the limit, and positions stay valid", () => {
  const changelog = new Changelog([]);
  const lineLength = 38;
  const lines = Math.ceil(maxChangelogBytes / lineLength) + 10;
  for (let at = 0; at < lines; at += 1) changelog.append(moved, 1700000000);
  expect(changelog.end).toBe(lines * lineLength);
  expect(changelog.end - changelog.start).toBeLessThanOrEqual(maxChangelogBytes);
  expect(changelog.text().length).toBe(changelog.end - changelog.start);
  expect(changelog.read(0).text.startsWith("1700000000 group1")).toBe(true);
});

test("C's file is read with the position of each line, without what is no whole line", () => {
  const lines = parseChangelog("1 group1 a 4 \n2 group1 b 3 c\n3 gro");
  expect(lines).toEqual([
    { position: 0, text: "1 group1 a 4 \n" },
    { position: 14, text: "2 group1 b 3 c\n" },
  ]);
  expect(new Changelog(lines).end).toBe(29);
});
