/** The rules for disks with passports, one test a sentence; which device, port or order a disk has is nowhere in them. */
import { expect, test } from "vitest";
import type { KnownDisk } from "#disks/disk-map.ts";
import { type DiskPlanInput, planDisks } from "#disks/disk-plan.ts";
import type { Passport } from "#disks/passport.ts";
import type { SeenDisk } from "#disks/seen-disk.ts";
import { DiskId } from "#model/disk-id.ts";
import { someNode, somePassport } from "../../support/passports.ts";

const own = someNode(1).owner;
const stranger = someNode(2).owner;
const idOf = (digit: string): DiskId => DiskId(digit.repeat(32));

function path(index: number) {
  return { index, id: "e".repeat(32), directory: `store/M0${index}` };
}

function seen(
  place: string,
  digit: string,
  fields: Partial<Passport> & { index?: number } = {},
): SeenDisk {
  const { index = 0, ...rest } = fields;
  const passport = somePassport({ diskId: idOf(digit), paths: [path(index)], ...rest });
  return {
    place,
    name: `/dev/${place}`,
    mountPoint: `/mnt/${place}`,
    passport: { kind: "genuine", passport },
  };
}

function known(digit: string, index = 0, role: KnownDisk["role"] = "store"): KnownDisk {
  return { diskId: idOf(digit), role, paths: [path(index)], seenAt: 5 };
}

function plan(input: Partial<DiskPlanInput>) {
  const none = { seen: [], known: [], served: new Map(), configured: 0 };
  const { verdicts, steps, absent, former } = planDisks({ ...none, ownId: own.id, ...input });
  return {
    kinds: verdicts.map(({ place, kind }) => `${place} ${kind}`),
    says: verdicts.map(({ says }) => says).join("\n"),
    steps: steps.map((step) => {
      if (step.name === "open") return `open ${step.index} ${step.directory}`;
      if (step.name === "take") return `take ${step.index}`;
      if (step.name === "mount") return `mount ${step.place}`;
      if (step.name === "forget") return `forget ${step.place} ${step.indexes.join()}`;
      return `remember ${step.disk.diskId.slice(0, 1)} ${step.disk.role}`;
    }),
    absent: absent.map(({ index }) => index),
    why: absent.map(({ why }) => why).join("\n"),
    former,
  };
}

test("an own disk is served by its index, and remembered", () => {
  const found = plan({ seen: [seen("sda1", "a"), seen("sdb1", "b", { index: 3 })] });
  expect(found.kinds).toEqual(["sda1 own", "sdb1 own"]);
  expect(found.steps).toEqual([
    "remember a store",
    "open 0 /mnt/sda1/store/M00",
    "remember b store",
    "open 3 /mnt/sdb1/store/M03",
  ]);
});

test("an own disk in another port is the same store path", () => {
  const found = plan({ seen: [seen("sdz9", "a")], known: [known("a")] });
  expect(found.steps).toEqual(["open 0 /mnt/sdz9/store/M00"]);
});

test("what is served already is left alone; what has gone is taken out of service, in words", () => {
  const served = new Map([
    [0, "sda1"],
    [1, "sdb1"],
  ]);
  const found = plan({ seen: [seen("sda1", "a")], known: [known("a"), known("b", 1)], served });
  expect(found.steps).toEqual(["take 1"]);
  const step = planDisks({
    seen: [],
    known: [known("b", 1)],
    ownId: own.id,
    served,
    configured: 0,
  });
  expect(step.steps[1]).toMatchObject({ why: expect.stringContaining("its disk (bbbbbbbb)") });
});

test("an own disk that is not mounted is mounted first", () => {
  const disk = { ...seen("sda1", "a"), mountPoint: undefined };
  expect(plan({ seen: [disk] }).steps).toEqual(["mount sda1"]);
});

test("an own disk that is missing is an offline path with what to do", () => {
  const found = plan({ known: [known("a", 2), known("b", 1), known("c", 0, "replaced")] });
  expect(found.absent).toEqual([1, 2]);
  expect(found.why).toContain("plug it in, into any port");
});

test("a disk of another node waits for a yes, and nothing is done with it", () => {
  const found = plan({ seen: [seen("sda1", "a", { node: stranger })], known: [known("b", 1)] });
  expect(found.kinds).toEqual(["sda1 foreign"]);
  expect(found.steps).toEqual([]);
  expect(found.says).toContain("belongs to another node, box 2");
  expect(found.former).toBeUndefined();
});

test("with a yes it is served, though its passport does not say so yet", () => {
  const found = plan({
    seen: [seen("sda1", "a", { node: stranger })],
    known: [known("a", 0, "adopting")],
  });
  expect(found.kinds).toEqual(["sda1 own"]);
  expect(found.steps).toEqual(["open 0 /mnt/sda1/store/M00"]);
});

test("two disks of one identity are both refused; one that is served stays", () => {
  const both = [seen("sda1", "a"), seen("sdb1", "a")];
  const found = plan({ seen: both, known: [known("a")] });
  expect(found.kinds).toEqual(["sda1 clone", "sdb1 clone"]);
  expect(found.steps).toEqual([]);
  expect(found.says).toContain("unplug the copy");
  expect(found.absent).toEqual([0]);
  const later = plan({ seen: both, known: [known("a")], served: new Map([[0, "sda1"]]) });
  expect(later.kinds).toEqual(["sda1 own", "sdb1 clone"]);
  expect(later.steps).toEqual([]);
});

test("a disk that comes back after it was replaced is refused", () => {
  const found = plan({
    seen: [seen("sda1", "a"), seen("sdb1", "b")],
    known: [known("a", 0, "replaced"), known("b")],
  });
  expect(found.kinds).toEqual(["sda1 replaced", "sdb1 own"]);
  expect(found.says).toContain("it is not served again");
});

test("a new disk takes the place of one that is away", () => {
  const found = plan({ seen: [seen("sdb1", "b")], known: [known("a")] });
  expect(found.steps).toEqual([
    "remember b store",
    "remember a replaced",
    "open 0 /mnt/sdb1/store/M00",
  ]);
});

test("two own disks with one index: the remembered one is served; where neither is, none", () => {
  const both = [seen("sda1", "a"), seen("sdb1", "b")];
  expect(plan({ seen: both, known: [known("a")] }).kinds).toEqual(["sda1 own", "sdb1 conflict"]);
  const neither = plan({ seen: both });
  expect(neither.kinds).toEqual(["sda1 conflict", "sdb1 conflict"]);
  expect(neither.steps).toEqual([]);
});

test("an index of the settings is nobody else's", () => {
  const found = plan({ seen: [seen("sda1", "a")], configured: 1 });
  expect(found.kinds).toEqual(["sda1 conflict"]);
  expect(found.says).toContain("storage.path");
});

test("a passport that cannot be believed is told of; a disk that is silent keeps its path", () => {
  const common = { name: "x", mountPoint: "/mnt/x" };
  const found = plan({
    seen: [
      { ...common, place: "sda1", passport: { kind: "unreadable", why: "it is damaged" } },
      { ...common, place: "sdb1", passport: { kind: "silent" } },
    ],
    served: new Map([[0, "sdb1"]]),
  });
  expect(found.kinds).toEqual(["sda1 unreadable"]);
  expect(found.says).toBe("it is damaged");
  expect(found.steps).toEqual([]);
});

test("a node that never had a disk may become the one whose disks it sees, if they are one's", () => {
  const theirs = [
    seen("sda1", "a", { node: stranger }),
    seen("sdb1", "b", { node: stranger, index: 1 }),
  ];
  expect(plan({ seen: theirs }).former).toEqual({
    id: stranger.id,
    name: "box 2",
    places: ["sda1", "sdb1"],
  });
  expect(plan({ seen: [...theirs, seen("sdc1", "c", { node: someNode(3).owner })] }).former).toBe(
    undefined,
  );
  expect(plan({ seen: theirs, known: [known("f", 7)] }).former).toBe(undefined);
  expect(plan({ seen: [seen("sda1", "a")] }).former).toBe(undefined);
});

test("of two own disks with the same path, the one to which it was moved has it, and the other one's passport is put right", () => {
  const moved = { ...path(0), moves: 1 };
  const source = seen("sda1", "a");
  const target = seen("sdb1", "b", { paths: [moved] });
  for (const both of [
    [source, target],
    [target, source],
  ]) {
    const found = plan({ seen: both, known: [known("a")] });
    expect(found.kinds.sort()).toEqual(["sda1 own", "sdb1 own"]);
    expect(found.steps.filter((step) => step.startsWith("open"))).toEqual([
      "open 0 /mnt/sdb1/store/M00",
    ]);
    expect(found.steps).toContain("forget sda1 0");
    expect(found.steps).toContain("remember a store");
    expect(found.steps.join()).not.toContain("replaced");
  }
  // Another path of the same number is no move of it.
  const other = seen("sdb1", "b", { paths: [{ ...moved, id: "f".repeat(32) }] });
  expect(plan({ seen: [source, other] }).kinds).toEqual(["sda1 conflict", "sdb1 conflict"]);
});

test("a path that may have been moved is not served from where it was while the disk that has it is away", () => {
  const there = { ...known("b"), paths: [{ ...path(0), moves: 1 }] };
  const found = plan({ seen: [seen("sda1", "a")], known: [known("a"), there] });
  expect(found.steps.filter((step) => !step.startsWith("remember"))).toEqual([]);
  expect(found.absent).toEqual([0]);
  expect(found.why).toContain("its disk (bbbbbbbb)");
  // Its passport does not say so: it never came to that.
  const back = plan({
    seen: [seen("sda1", "a"), seen("sdb1", "b", { paths: [] })],
    known: [known("a"), there],
  });
  expect(back.steps).toContain("open 0 /mnt/sda1/store/M00");
  expect(back.steps.join()).not.toContain("forget");
  expect(back.steps.join()).not.toContain("replaced");
});
