/** What people want of disks, as plans over what programs say of the room on them. */
import { expect, test } from "vitest";
import { diskMoveHandlers } from "#daemon/disk-move-operations.ts";
import { DiskMoves } from "#daemon/disk-moves.ts";
import { roomOf } from "#daemon/disk-room.ts";
import type { OwnDisk } from "#daemon/shelf-world.ts";
import type { StorePathMoves } from "#daemon/store-path-moves.ts";
import type { DiskWish } from "#disks/moves/move-table.ts";
import { DiskId } from "#model/disk-id.ts";
import type { CommandEnd } from "#platform/commands.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { somePassport } from "../../support/passports.ts";

const idOf = (digit: string): DiskId => DiskId(digit.repeat(32));

function own(digit: string, indexes: readonly number[]): OwnDisk {
  const paths = indexes.map((index) => ({
    index,
    id: "e".repeat(32),
    directory: `store/M0${index}`,
  }));
  const diskId = idOf(digit);
  const passport = somePassport({ diskId, paths });
  return {
    diskId,
    name: `/dev/sd${digit}1`,
    mountPoint: `/mnt/${digit}`,
    passport,
    served: indexes,
  };
}

function stage(disks: OwnDisk[], look = async (): Promise<void> => {}) {
  const asked: string[] = [];
  /** Free KiB of each disk of 1000 GB. */
  const free = new Map<string, number>();
  const answer = (code: number, stdout: string): CommandEnd => ({
    ...{ code, signal: undefined, stdout, stderr: code === 0 ? "" : "it hangs" },
  });
  const commands = {
    run: async (program: string, parameters: readonly string[]) => {
      const at = parameters.at(-1) ?? "";
      asked.push(`${program} ${at}`);
      if (program === "du") return answer(1, `5000000\t${at}\n`);
      const room = free.get(at) ?? 500_000_000;
      if (room < 0) return answer(1, "");
      const used = 1_000_000_000 - room;
      return answer(0, `Filesystem 1024-blocks\n/dev/x 1000000000 ${used} ${room} 50% ${at}\n`);
    },
  };
  const wishes = new Map<DiskId, DiskWish>();
  const added: unknown[] = [];
  const under: { storePath: number; source: DiskId; phase: "copying" }[] = [];
  const moves = {
    wishes,
    get moves() {
      return under;
    },
    wish: (disk: DiskId, wish: DiskWish | undefined) => {
      if (wish === undefined) wishes.delete(disk);
      else wishes.set(disk, wish);
    },
    add: (each: unknown, purpose: string) => void added.push(purpose, each),
    cancel: (path: number) => void added.push(`cancel ${path}`),
    leaveUnreadable: (path: number) => void added.push(`leave ${path}`),
  } as unknown as StorePathMoves;
  const parts = {
    ...{ shelf: { ownDisks: disks, look }, moves, commands, pathsPerDisk: 1 },
    hintsAtRebalance: true,
    clock: nodeClock,
    isMount: () => true,
    diskNamed: (name: string) => (name === "WD-123" ? idOf("b") : undefined),
    illness: ({ diskId }: OwnDisk) => (diskId === idOf("f") ? "is failing" : undefined),
  };
  return { disks: new DiskMoves(parts), free, wishes, added, under, asked };
}

test("a disk is found by its id, the begin of that, its device or its serial", () => {
  const { disks } = stage([own("a", [0]), own("b", [1])]);
  for (const name of ["b".repeat(32), "bbbb", "/dev/sdb1", "sdb1", "WD-123", "/mnt/b"]) {
    expect(disks.find(name).diskId).toBe(idOf("b"));
  }
  for (const name of ["bbb", "sdc1", ""]) expect(() => disks.find(name)).toThrow("is no disk");
});

test("a disk that was given a moment ago is waited for where it is named by its id", async () => {
  const there = [own("a", [0])];
  let looks = 0;
  const { disks, free } = stage(there, async () => {
    looks += 1;
    if (looks === 2) there.push(own("b", [1]));
  });
  for (const place of ["/mnt/a", "/mnt/b"]) free.set(place, 900_000_000);
  const { moves } = await disks.planRetire(idOf("a"), idOf("b"));
  expect(moves).toMatchObject([{ storePath: 0, to: { diskId: idOf("b") } }]);
  expect(looks).toBe(2);
});

test("a disk is retired as it was agreed on, and nothing else happens", async () => {
  const { disks, free } = stage([own("a", [0]), own("b", [1]), own("f", [])]);
  free.set("/mnt/a", 800_000_000);
  free.set("/mnt/f", 990_000_000);
  const handlers = diskMoveHandlers(() => disks);
  const caller = { name: "test", access: "owner" } as const;
  const plan = await handlers.planRetire({ disk: "sdb1" }, caller);
  expect(plan).toMatchObject({
    name: "/dev/sdb1",
    moves: [{ storePath: 1, to: idOf("a"), toName: "/dev/sda1", bytes: 512_000_000_000 }],
  });
});

test("what changed since it was shown is refused; what has no room, in words", async () => {
  const { disks, added, wishes, free } = stage([own("a", [0]), own("b", [1])]);
  free.set("/mnt/a", 800_000_000);
  await disks.retire("sdb1", [{ storePath: 1, to: idOf("a") }]);
  expect(wishes.get(idOf("b"))).toBe("retire");
  expect(added).toEqual(["retire", [{ storePath: 1, source: idOf("b"), target: idOf("a") }]]);
  await expect(disks.retire("sdb1", [{ storePath: 1, to: idOf("c") }])).rejects.toThrow(
    "look again",
  );
  free.set("/mnt/b", 100_000_000);
  await expect(disks.retire("sda1", [])).rejects.toThrow("no other disk has room");
});

test("a disk is drained and takes files again, but not while its paths are on their way", () => {
  const { disks, wishes, under } = stage([own("a", [0])]);
  disks.drain("sda1", true);
  expect(wishes.get(idOf("a"))).toBe("drain");
  under.push({ storePath: 0, source: idOf("a"), phase: "copying" });
  expect(() => disks.drain("sda1", false)).toThrow("call that off first");
  under.pop();
  disks.drain("sda1", false);
  expect(wishes.size).toBe(0);
});

test("guests are spread, each counted by itself", async () => {
  const { disks, added, asked, free } = stage([own("a", [0, 1]), own("b", [])]);
  free.set("/mnt/b", 900_000_000);
  const [move] = await disks.planRebalance();
  expect(move).toMatchObject({ storePath: 1, bytes: 5_120_000_000 });
  expect(asked).toContain("du /mnt/a/store/M01");
  await disks.rebalance([{ storePath: 1, to: idOf("b") }]);
  expect(added[0]).toBe("rebalance");
});

test("a disk that does not answer takes nothing", async () => {
  const { free } = stage([]);
  free.set("/mnt/a", -1);
  const disk = own("a", [0]);
  const commands = {
    run: async () => ({ code: 1, signal: undefined, stdout: "", stderr: "it hangs" }),
  };
  const parts = { commands, unfit: () => undefined, isMount: () => true };
  const [room] = await roomOf([disk], () => false, parts);
  expect(room).toMatchObject({ unfit: "does not answer: it hangs", freeBytes: 0 });
});

test("operations tell moves with how far they are, and refuse where the node does not look after its disks", () => {
  const { disks, under, added } = stage([own("a", [0])]);
  const handlers = diskMoveHandlers(() => disks);
  const caller = { name: "test", access: "owner" } as const;
  const tally = { files: 1, bytes: 2, copiedFiles: 3, copiedBytes: 4, passes: 5 };
  const move = {
    ...{ storePath: 0, source: idOf("a"), target: idOf("b"), phase: "copying" as const },
  };
  under.push({ ...move, ...{ purpose: "retire", unreadable: [], begunAt: 1, tally } });
  expect(handlers.listMoves({}, caller)).toMatchObject({
    moves: [{ storePath: 0, from: idOf("a"), to: idOf("b"), phase: "copying", copiedBytes: 4 }],
  });
  handlers.changeMove({ storePath: 0, action: "cancel" }, caller);
  handlers.changeMove({ storePath: 0, action: "leave-unreadable" }, caller);
  expect(added).toEqual(["cancel 0", "leave 0"]);
  const none = diskMoveHandlers(() => undefined);
  expect(() => none.listMoves({}, caller)).toThrow("disks.manage = true");
});

test("a rebalance is hinted at where it may help, and not while store paths are on their way", () => {
  const { disks, under, wishes } = stage([own("a", [0, 1]), own("b", [])]);
  expect(disks.advice).toMatchObject([expect.stringContaining("/dev/sda1 carries 2 store paths")]);
  wishes.set(idOf("b"), "retire");
  expect(disks.advice).toEqual([]);
  wishes.delete(idOf("b"));
  under.push({ storePath: 1, source: idOf("a"), phase: "copying" });
  expect(disks.advice).toEqual([]);
});
