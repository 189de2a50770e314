import { expect, test } from "vitest";
import type { Caller } from "#control/caller.ts";
import { diskOwnershipHandlers } from "#daemon/disk-ownership.ts";
import { DiskId } from "#model/disk-id.ts";
import { NodeId } from "#model/node-id.ts";

const diskId = DiskId("d".repeat(32));
const node = NodeId("00112233445566aa");
const caller = {} as Caller;

function stage(former = true) {
  const asked: string[] = [];
  const handlers = diskOwnershipHandlers({
    disks: {
      report: {
        disks: [{ place: "/mnt/d", name: "/dev/sda1", diskId, kind: "foreign", says: "waits" }],
        former: former ? { id: node, name: "attic", places: ["/mnt/d", "/mnt/e"] } : undefined,
      },
      adopt: async (disk) => {
        asked.push(`adopt ${disk}`);
        return [1];
      },
      restore: async (of) => {
        asked.push(`restore ${of}`);
        return { writtenAt: 5, disks: 2 };
      },
    },
    startAnew: () => asked.push("start anew"),
  });
  return { handlers, asked };
}

test("what the shelf says is told, and what is asked for goes there; a restore starts the node anew", async () => {
  const { handlers, asked } = stage();
  expect(await handlers.findDisks({}, caller)).toEqual({
    disks: [{ name: "/dev/sda1", disk: diskId, kind: "foreign", says: "waits" }],
    former: { node, name: "attic", disks: 2 },
  });
  expect(await handlers.adoptDisk({ disk: diskId }, caller)).toEqual({ storePaths: [1] });
  expect(await handlers.restoreNode({}, caller)).toEqual({ node, writtenAt: 5, disks: 2 });
  expect(asked).toEqual([`adopt ${diskId}`, `restore ${node}`, "start anew"]);
});

test("what cannot be is refused with what to do, and nothing is started anew", async () => {
  const { handlers, asked } = stage(false);
  await expect(handlers.restoreNode({}, caller)).rejects.toThrow("there is no former node");
  await expect(handlers.adoptDisk({ disk: "sda" }, caller)).rejects.toThrow(
    "is not the id of a disk",
  );
  const without = diskOwnershipHandlers({ disks: undefined, startAnew: () => asked.push("anew") });
  expect(() => without.findDisks({}, caller)).toThrow("disks.manage = true");
  expect(asked).toEqual([]);
});
