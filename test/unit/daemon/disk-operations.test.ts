import { expect, test } from "vitest";
import { diskHandlers } from "#daemon/disk-operations.ts";
import type { InventoryReport } from "#disks/disk-inventory.ts";
import { diskFacts } from "../../support/disk-facts.ts";

const caller = { name: "test", access: "owner" } as const;
const report: InventoryReport = {
  ...{ lookedAtMs: 1_700_000_000_500, rounds: 1, failedRounds: 0, replaced: 0 },
  ...{ roundMs: 1, mainThreadMs: 1, problems: ["sda: it does not answer"] },
};

test("the list is a look of now, at what is on them only where that is asked for", async () => {
  const looks: (readonly string[] | undefined)[] = [];
  const { listDisks } = diskHandlers({
    inventory: {
      ...{ report, isWatching: true },
      look: (lookInto) => {
        looks.push(lookInto);
        return Promise.resolve([diskFacts()]);
      },
    },
    storePaths: () => [],
    notesOf: ({ name }) => ({ role: `of ${name}` }),
    advice: () => ["rebalance"],
  });
  expect(await listDisks({}, caller)).toMatchObject({
    ...{
      lookedAt: 1_700_000_000,
      watching: true,
      problems: report.problems,
      advice: ["rebalance"],
    },
    disks: [{ name: "sda", role: "of sda" }],
  });
  await listDisks({ refresh: true }, caller);
  expect(looks).toEqual([[], ["*"]]);
});

test("a node that looks at no disks says so", async () => {
  const parts = { inventory: undefined, storePaths: () => [], notesOf: () => ({}) };
  await expect(diskHandlers(parts).listDisks({}, caller)).rejects.toThrow("looks at no disks");
});
