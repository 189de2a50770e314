import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { storageStatus } from "#model/storage-status.ts";
import { type GroupShape, type MemberView, planJoin } from "#tracker/join-plan.ts";

const { active, offline, deleted } = storageStatus;
const shape: GroupShape = { storagePort: 23000, storePathCount: 2, subdirCount: 256 };
const joining = { port: 23000, storePathCount: 2, subdirCount: 256 };
const rules = {
  group: GroupName("group1"),
  groupOfId: GroupName("group1"),
  portsMayDiffer: false,
};

function member(given: Partial<MemberView> = {}): MemberView {
  return { ...joining, status: active, ...given };
}

function plan(
  given: Partial<typeof joining>,
  others: readonly MemberView[] = [member()],
  more: { readonly shape?: GroupShape; readonly portsMayDiffer?: boolean } = {},
): GroupShape | "refused" {
  const result = planJoin(
    { ...joining, ...given },
    { shape: more.shape ?? shape, others },
    { ...rules, portsMayDiffer: more.portsMayDiffer ?? false },
  );
  return "refusal" in result ? "refused" : result;
}

test("the first storage of a group makes its shape", () => {
  const nothing = { storagePort: 0, storePathCount: 0, subdirCount: 0 };
  expect(plan({ port: 23001, storePathCount: 3, subdirCount: 16 }, [], { shape: nothing })).toEqual(
    {
      storagePort: 23001,
      storePathCount: 3,
      subdirCount: 16,
    },
  );
});

test("an id of another group is refused", () => {
  const other = { ...rules, groupOfId: GroupName("group2") };
  expect(planJoin(joining, { shape, others: [] }, other)).toEqual({
    refusal: "its id belongs to group group2",
  });
});

test("another port is refused while an available storage has the group's", () => {
  expect(plan({ port: 23001 })).toBe("refused");
  expect(plan({ port: 23001 }, [member({ port: 23001 })])).toMatchObject({ storagePort: 23001 });
  expect(plan({ port: 23001 }, [])).toMatchObject({ storagePort: 23001 });
  expect(plan({ port: 23001 }, [member({ status: offline })])).toMatchObject({
    storagePort: 23001,
  });
});

test("with numbers in file names the ports of a group may differ", () => {
  const different = { ...shape, storagePort: -1 };
  expect(plan({ port: 23001 }, [member()], { portsMayDiffer: true })).toEqual(different);
  expect(plan({}, [member({ port: 23001 })], { shape: different, portsMayDiffer: true })).toEqual(
    different,
  );
});

test("fewer store paths than the group's are refused, more wait until all have them", () => {
  expect(plan({ storePathCount: 1 })).toBe("refused");
  expect(plan({ storePathCount: 3 })).toMatchObject({ storePathCount: 2 });
  expect(plan({ storePathCount: 3 }, [member({ storePathCount: 3 })])).toMatchObject({
    storePathCount: 3,
  });
  expect(
    plan({ storePathCount: 1 }, [member({ storePathCount: 1, status: offline })]),
  ).toMatchObject({ storePathCount: 1 });
});

test("another number of subdirectories needs the agreement of all that are not gone", () => {
  expect(plan({ subdirCount: 16 })).toBe("refused");
  expect(plan({ subdirCount: 16 }, [member({ status: deleted })])).toMatchObject({
    subdirCount: 16,
  });
  expect(plan({ subdirCount: 16 }, [member({ subdirCount: 16 })])).toMatchObject({
    subdirCount: 16,
  });
});
