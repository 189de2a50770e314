import { expect, test } from "vitest";
import { suggestKey } from "#config/nearest-key.ts";

test.each([
  ["storage.prot", "did you mean storage.port?"],
  ["storage.heartbeat_interval", "did you mean storage.heart_beat_interval?"],
  ["storage.path.directry", "did you mean storage.path.directory?"],
  ["gateway.anti_leech.tll", "did you mean gateway.anti_leech.ttl?"],
  ["trakcer", "did you mean tracker?"],
  ["tracker.trunck", "did you mean tracker.trunk?"],
  ["node.group", "did you mean storage.group?"],
  ["storage.group_name", "FastDFS's group_name is storage.group here"],
  ["storage.base_path", "FastDFS's base_path is storage.adopt_base_path here"],
  ["tracker.use_trunk_file", "FastDFS's use_trunk_file is tracker.trunk.enabled here"],
])("%s: %s", (key, words) => {
  expect(suggestKey(key)).toBe(words);
});

test("for a key that is like no other there is no suggestion", () => {
  expect(["storage.colour_of_the_box", "xyzzy", "a".repeat(1000), ""].map(suggestKey)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
