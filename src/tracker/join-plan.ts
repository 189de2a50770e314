/** Whether a storage may join, and what its group is like afterwards (protocol §2.4/81, steps 7 and 10). Pure. */
import type { GroupName } from "#model/group-name.ts";
import type { StorageStatus } from "#model/storage-status.ts";
import { isAvailable, isGone } from "#tracker/storage-machine.ts";

export interface JoiningStorage {
  readonly port: number;
  readonly storePathCount: number;
  readonly subdirCount: number;
}

export interface MemberView extends JoiningStorage {
  readonly status: StorageStatus;
}

/** 0 stands for "not known yet" in each of them. */
export interface GroupShape {
  /** −1 where the storages differ. */
  readonly storagePort: number;
  readonly storePathCount: number;
  readonly subdirCount: number;
}

export interface JoinRules {
  /** The group that the storage ids file names, or the one that was asked for where there is no file. */
  readonly groupOfId: GroupName;
  readonly group: GroupName;
  /** Names carry numbers, so that storages need not share a port. */
  readonly portsMayDiffer: boolean;
}

export type JoinPlan = GroupShape | { readonly refusal: string };

const differentPorts = -1;

/** `others` are the members of the group without the joining one. */
export function planJoin(
  joining: JoiningStorage,
  before: { readonly shape: GroupShape; readonly others: readonly MemberView[] },
  rules: JoinRules,
): JoinPlan {
  if (rules.groupOfId !== rules.group) {
    return { refusal: `its id belongs to group ${rules.groupOfId}` };
  }
  const { shape } = before;
  const others = before.others.filter((other) => !isGone(other));
  const storagePort = planPort(joining.port, { shape, others }, rules.portsMayDiffer);
  if (storagePort === undefined) {
    return { refusal: `port ${joining.port} differs from the group's port ${shape.storagePort}` };
  }
  const storePathCount = agreed(
    shape.storePathCount,
    joining.storePathCount,
    others.map((other) => other.storePathCount),
  );
  if (storePathCount === undefined && joining.storePathCount < shape.storePathCount) {
    return {
      refusal: `${joining.storePathCount} store paths are fewer than the group's ${shape.storePathCount}`,
    };
  }
  const subdirCount = agreed(
    shape.subdirCount,
    joining.subdirCount,
    others.map((other) => other.subdirCount),
  );
  if (subdirCount === undefined) {
    return {
      refusal: `${joining.subdirCount} subdirectories differ from the group's ${shape.subdirCount}`,
    };
  }
  return { storagePort, storePathCount: storePathCount ?? shape.storePathCount, subdirCount };
}

function planPort(
  port: number,
  before: { readonly shape: GroupShape; readonly others: readonly MemberView[] },
  portsMayDiffer: boolean,
): number | undefined {
  const { storagePort } = before.shape;
  if (storagePort === 0 || storagePort === port) return port;
  if (before.others.length === 0) return port;
  if (portsMayDiffer) return differentPorts;
  // Those that are away may come back with the new port, too; otherwise no group could ever change it.
  return before.others.every((other) => !isAvailable(other) || other.port === port)
    ? port
    : undefined;
}

/** The group's value after a join; undefined where the members do not agree on the new one. */
function agreed(before: number, joining: number, others: readonly number[]): number | undefined {
  if (before === 0 || before === joining) return joining;
  return others.every((value) => value === joining) ? joining : undefined;
}
