import { expect, test } from "vitest";
import { ForeignDisks } from "#daemon/foreign-disks.ts";
import type { ShelfReport } from "#daemon/shelf-world.ts";
import { parsePassport } from "#disks/passport.ts";
import type { SeenDisk } from "#disks/seen-disk.ts";
import { passportText } from "../../support/passports.ts";

const passport = parsePassport(passportText());
const { diskId } = passport;
const seen: SeenDisk = {
  ...{ place: "sda1#7", name: "/dev/sda1", mountPoint: undefined },
  passport: { kind: "genuine", passport },
};

function shelf(kind: "foreign" | "own", mountPoint?: string) {
  const { place, name } = seen;
  const disks = [{ place, name, diskId, kind, says: "is what it is" }];
  const report: ShelfReport = { disks, former: undefined };
  return { report, seen: [{ ...seen, mountPoint }], look: async () => {} };
}

test("a foreign disk is mounted for reading alone, and let go of; one that is mounted stays as it is", async () => {
  const asked: unknown[] = [];
  const foreign = new ForeignDisks(shelf("foreign"), {
    mount: async ({ place }, readOnly) => {
      asked.push([place, readOnly]);
      return "/mnt/d";
    },
    release: async (point) => void asked.push(point),
  });
  expect(foreign.passport(diskId)).toBe(passport);
  const mounted = await foreign.mount(diskId);
  expect(mounted.mountPoint).toBe("/mnt/d");
  await mounted.release();
  expect(asked).toEqual([["sda1#7", true], "/mnt/d"]);
  const there = await new ForeignDisks(shelf("foreign", "/mnt/x"), undefined).mount(diskId);
  expect(there.mountPoint).toBe("/mnt/x");
  await there.release();
});

test("an own disk, and one that is not there, are none", async () => {
  const own = new ForeignDisks(shelf("own"), undefined);
  expect(() => own.passport(diskId)).toThrow("is what it is");
  const nobody = new ForeignDisks({ ...shelf("own"), seen: [] }, undefined);
  expect(() => nobody.passport(diskId)).toThrow("no disk");
  await expect(new ForeignDisks(shelf("foreign"), undefined).mount(diskId)).rejects.toThrow(
    "no disk",
  );
});
