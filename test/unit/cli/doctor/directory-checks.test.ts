/** Directories: there, writable, on a fit file system, with room. */
import { expect, test } from "vitest";
import { checkDirectories } from "#cli/doctor/directory-checks.ts";
import { FileError } from "#platform/files.ts";
import type { FileSystemFacts, LocalFiles } from "#platform/local-files.ts";
import { defaultConfig } from "../../../support/config.ts";

const gibibyte = 1024 ** 3;

interface Place extends Partial<FileSystemFacts> {
  readonly kind?: "file" | "directory";
  readonly readOnly?: boolean;
}

function filesOf(places: Readonly<Record<string, Place>>): LocalFiles {
  const find = (path: string): Place | undefined => places[path];
  return {
    stat: async (path: string) => {
      const place = find(path);
      return place && { kind: place.kind ?? "directory", sizeBytes: 0, modifiedMs: 0 };
    },
    fileSystemOf: async (path: string) => ({
      type: "ext4",
      mountPoint: "/",
      source: "/dev/sda1",
      totalBytes: 100 * gibibyte,
      freeBytes: 50 * gibibyte,
      freeInodes: 1_000_000,
      device: 1,
      ...find(path),
    }),
    probeWrite: async (path: string) => {
      if (find(path)?.readOnly === true) throw new FileError("EROFS", "read-only", path);
    },
  } as unknown as LocalFiles;
}

const config = defaultConfig({
  node: { dataDir: "/data" },
  storage: { paths: [{ directory: "/disk0", readonly: false, takeOver: false }] },
});

async function verdicts(places: Readonly<Record<string, Place>>, settings = config) {
  const findings = await checkDirectories(filesOf(places), settings);
  return findings.map(({ check, verdict }) => `${check}: ${verdict}`);
}

test("what is there and fit is well; the data directory need not be there yet", async () => {
  const good = ["data directory: good", "store path 0: good"];
  expect(await verdicts({ "/data": {}, "/disk0": {} })).toEqual(good);
  expect(await verdicts({ "/disk0": {} })).toEqual(good);
  const inside = defaultConfig({ node: { dataDir: "/data" } });
  expect(await verdicts({}, inside)).toEqual(good);
});

test.each<readonly [string, Place | undefined, string]>([
  ["a disk that is not mounted", undefined, "bad"],
  ["a file", { kind: "file" }, "bad"],
  ["a read-only file system", { readOnly: true }, "bad"],
  ["no room above the reserve", { freeBytes: gibibyte }, "bad"],
  ["hardly any room", { freeBytes: gibibyte + 1024 }, "warning"],
  ["memory", { type: "tmpfs" }, "warning"],
  ["a network", { type: "nfs4" }, "warning"],
  ["a FUSE file system", { type: "fuse.sshfs" }, "warning"],
  ["few inodes", { freeInodes: 10 }, "warning"],
  ["no limit of inodes", { freeInodes: undefined }, "good"],
])("%s", async (_, place, verdict) => {
  const places = place === undefined ? { "/data": {} } : { "/data": {}, "/disk0": place };
  expect((await verdicts(places))[1]).toBe(`store path 0: ${verdict}`);
});

test("a reserve in percent is one of the whole disk; a read-only path needs none", async () => {
  const percent = defaultConfig({
    node: { dataDir: "/data" },
    tracker: { reservedSpace: { kind: "percent", percent: 60 } as never },
    storage: { paths: [{ directory: "/disk0", readonly: false, takeOver: false }] },
  });
  expect((await verdicts({ "/disk0": {} }, percent))[1]).toBe("store path 0: bad");
  const readonly = defaultConfig({
    node: { dataDir: "/data" },
    storage: { paths: [{ directory: "/disk0", readonly: true, takeOver: false }] },
  });
  expect((await verdicts({ "/disk0": { freeBytes: 0 } }, readonly))[1]).toBe("store path 0: good");
});

test("two store paths on one disk are noticed, the data directory beside them is not", async () => {
  const two = defaultConfig({
    node: { dataDir: "/data" },
    storage: {
      paths: [
        { directory: "/disk0", readonly: false, takeOver: false },
        { directory: "/disk1", readonly: false, takeOver: false },
      ],
    },
  });
  expect(await verdicts({ "/disk0": { device: 2 }, "/disk1": { device: 3 } }, two)).toHaveLength(3);
  expect(await verdicts({ "/disk0": { device: 2 }, "/disk1": { device: 2 } }, two)).toEqual([
    "data directory: good",
    "store path 0: good",
    "store path 1: good",
    "store path 1: warning",
  ]);
});
