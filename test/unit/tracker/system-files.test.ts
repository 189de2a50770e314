import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatSystemFiles } from "#tracker/system-files.ts";
import { importSystemFiles } from "#tracker/system-files-import.ts";

const vectors = join(import.meta.dirname, "../../vectors/tracker-data");
const text = (name: string): string => readFileSync(join(vectors, name), "utf8");
const texts = {
  groups: text("storage_groups_new.dat"),
  storages: text("storage_servers_new.dat"),
  syncTimes: text("storage_sync_timestamp.dat"),
  changelog: text("storage_changelog.dat"),
  status: text(".tracker_status"),
};

test("what was read from a C tracker's files is written as the same bytes", () => {
  const { saved } = importSystemFiles(texts);
  const changelog = texts.changelog;
  const files = formatSystemFiles(saved, { withIds: true, changelogStart: 0, changelog });
  expect(files.map((file) => Buffer.from(file).toString())).toEqual([
    texts.groups,
    texts.storages,
    texts.syncTimes,
    texts.changelog,
  ]);
});

test("that a storage is one of ours is told to other trackers of ours; C passes over it", () => {
  const { saved } = importSystemFiles(texts);
  const storages = saved.storages.map((storage, at) => ({ ...storage, speaksCairn: at === 0 }));
  const options = { withIds: true, changelogStart: 0, changelog: "" };
  const [groups, written] = formatSystemFiles({ ...saved, storages }, options).map((file) =>
    Buffer.from(file).toString(),
  );
  const read = importSystemFiles({ ...texts, groups: groups ?? "", storages: written ?? "" });
  const [first, ...others] = read.saved.storages.map(({ speaksCairn }) => speaksCairn);
  expect([first, others.some((each) => each)]).toEqual([true, false]);
});

test("without storage ids the id is left out, and an IPv6 address stands in brackets", () => {
  const { saved } = importSystemFiles(texts);
  const storages = saved.storages.slice(0, 1).map((storage) => ({
    ...storage,
    addresses: ["fe80::2"],
  }));
  const options = { withIds: false, changelogStart: 0, changelog: "" };
  const [, file = new Uint8Array()] = formatSystemFiles({ ...saved, storages }, options);
  expect(Buffer.from(file).toString().split("\n").slice(0, 4)).toEqual([
    "# storage: [fe80::2]:23001",
    "[Storage001]",
    "\tgroup_name=group1",
    "\tip_addr=fe80::2",
  ]);
});

test("offsets into the changelog count from what is left of it", () => {
  const { saved } = importSystemFiles(texts);
  const storages = saved.storages.map((storage) => ({ ...storage, changelogOffset: 1000 }));
  const options = { withIds: true, changelogStart: 900, changelog: "" };
  const [, file = new Uint8Array()] = formatSystemFiles({ ...saved, storages }, options);
  expect(Buffer.from(file).toString()).toContain("\tchangelog_offset=100\n");
});

test("a tracker without groups has files, too", () => {
  const options = { withIds: false, changelogStart: 0, changelog: "" };
  const files = formatSystemFiles({ groups: [], storages: [] }, options);
  expect(files.map((file) => Buffer.from(file).toString())).toEqual([
    "[Global]\n\tgroup_count=0\n\n",
    "\n[Global]\n\tstorage_count=0\n",
    "",
    "",
  ]);
});
