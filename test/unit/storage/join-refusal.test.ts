/** What is told of a tracker that does not take a storage. */
import { expect, test } from "vitest";
import { parseStorageIdLine, type StorageIdEntry } from "#model/storage-id-line.ts";
import { refusalInWords } from "#storage/join-refusal.ts";

const storage = { group: "group1", address: "10.0.0.2", port: 23001, serverId: "" };

function why(lines: readonly string[], of: Partial<typeof storage> = {}): string {
  const ids = lines.map((line) => parseStorageIdLine(line) as StorageIdEntry);
  return refusalInWords(2, { ...storage, ...of }, ids) ?? "";
}

test("a table without this storage is told with the line that it lacks", () => {
  expect(why(["100001 group1 10.0.0.1"])).toBe(
    'its storage ids have no storage of group1 at 10.0.0.2:23001: add a line such as "NUMBER group1 10.0.0.2:23001" at every tracker of the cluster, and start these again, or say with storage.server_id which number this storage has',
  );
  expect(why([], { address: "2001:db8::2" })).toContain('"NUMBER group1 [2001:db8::2]:23001"');
  expect(why(["100001 group1 10.0.0.1"], { serverId: "100002" })).toMatch(
    /no number 100002 .*"100002 group1 10\.0\.0\.2:23001"/,
  );
  // A tracker that does not go by numbers.
  expect(why(["100002 group1 10.0.0.1"], { serverId: "100002" })).toMatch(
    /at 10\.0\.0\.2:23001: .*"100002 group1 10\.0\.0\.2:23001"/,
  );
});

test("a line that is nearly right is told with what is wrong in it", () => {
  expect(why(["100001 group1 59.1.1.2,10.0.0.2"])).toMatch(
    /have 100001 with port 23000, and this storage is at 10\.0\.0\.2:23001: .* no port means 23000/,
  );
  expect(why(["100001 group2 10.0.0.2:23001"])).toContain("have 10.0.0.2:23001 in group2");
  expect(why(["100001 group2 10.0.0.2:23001"], { serverId: "100001" })).toContain(
    "have 100001 in group2, and this storage is of group1",
  );
});

test("what the table does not explain is about the trackers, or about the group", () => {
  expect(why(["100001 group1 10.0.0.2:23001"])).toContain("storage.trackers");
  expect(refusalInWords(2, storage, undefined)).toContain("storage.trackers");
  expect(refusalInWords(22, storage, undefined)).toContain("storage.subdir_count");
  expect(refusalInWords(11, storage, undefined)).toBeUndefined();
});
