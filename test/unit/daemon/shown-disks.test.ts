import { expect, test } from "vitest";
import { readShape } from "#base/schema.ts";
import { listDisks } from "#control/operations/disks.ts";
import { diskOf, shownDisks } from "#daemon/shown-disks.ts";
import { diskFacts, mountFacts, partitionFacts } from "../../support/disk-facts.ts";
import { factsOf, machineNames } from "../../support/disk-machines.ts";

test("every known machine's disks are what the operation declares", () => {
  for (const name of machineNames) {
    const disks = shownDisks(factsOf(name), [], () => ({ role: "store", verdict: "ok" }));
    const output = { disks, watching: true, problems: [] };
    const read = readShape(
      listDisks.output,
      { ...output, disks: disks.map(({ ...each }) => each) },
      { what: "output", surplus: "drop" },
    );
    expect(read.disks.map(({ name: disk, role }) => [disk, role])).toEqual(
      disks.map((disk) => [disk.name, "store"]),
    );
  }
});

test("a store path is on the disk of the deepest mount above it", () => {
  const root = diskFacts({ name: "sda", mounts: [mountFacts({ point: "/" })] });
  const part = partitionFacts({ mounts: [mountFacts({ point: "/srv/a" })] });
  const data = diskFacts({ name: "sdb", partitions: [part] });
  const disks = [root, data];
  expect(diskOf("/srv/a/store", disks)).toBe(data);
  expect(diskOf("/srv/a", disks)).toBe(data);
  expect(diskOf("/srv/ab", disks)).toBe(root);
  expect(diskOf("/srv/ab", [data])).toBeUndefined();
  const paths = [
    { index: 0, directory: "/var/store" },
    { index: 1, directory: "/srv/a/store" },
  ];
  const shown = shownDisks(disks, paths, () => ({}));
  expect(shown.map(({ storePaths }) => storePaths.map(({ index }) => index))).toEqual([[0], [1]]);
});

test("what others measured of a disk counts where the probe knows nothing", () => {
  const notes = { temperatureCelsius: 41, spinning: false, reasons: ["it is old"], diskId: "00ff" };
  const [disk] = shownDisks([diskFacts()], [], () => notes);
  expect(disk).toMatchObject({ ...notes, key: "sda#7", where: "SATA 3" });
  expect(shownDisks([diskFacts({ temperatureCelsius: 30 })], [], () => ({}))[0]).toMatchObject({
    temperatureCelsius: 30,
  });
});
