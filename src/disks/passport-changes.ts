/** How a passport goes on: each change is a revision, and an event in its history. Pure. */
import type { Passport, PassportOwner, PassportPath } from "#disks/passport.ts";

interface Change {
  /** Unix seconds. */
  readonly at: number;
  readonly owner: PassportOwner;
}

/** With the ids by which its store paths are known; undefined where it says them already. */
export function followingPassport(
  passport: Passport,
  pathId: (index: number) => string | undefined,
  { at, owner }: Change,
): Passport | undefined {
  const paths = passport.paths.map((path) => ({ ...path, id: pathId(path.index) ?? path.id }));
  if (paths.every(({ id }, at) => id === passport.paths[at]?.id)) return undefined;
  return changed({ ...passport, paths }, { at, what: "store path opened", node: owner.id });
}

/** With another owner; undefined where it is that one's already. */
export function ownedPassport(passport: Passport, { at, owner }: Change): Passport | undefined {
  const { node } = passport;
  if (node.id === owner.id) return undefined;
  const what = `adopted from ${node.name} (${node.id})`;
  return changed({ ...passport, node: owner }, { at, what, node: owner.id });
}

/** With a store path that came from another disk, or is new. */
export function passportWith(
  passport: Passport,
  path: PassportPath,
  { at, owner, what }: Change & { readonly what: string },
): Passport {
  const others = passport.paths.filter(({ index }) => index !== path.index);
  const paths = [...others, path].sort((one, other) => one.index - other.index);
  return changed({ ...passport, paths }, { at, what, node: owner.id });
}

/** Without store paths that went to other disks. */
export function passportWithout(
  passport: Passport,
  indexes: ReadonlySet<number>,
  { at, owner, what }: Change & { readonly what: string },
): Passport {
  const paths = passport.paths.filter(({ index }) => !indexes.has(index));
  return changed({ ...passport, paths }, { at, what, node: owner.id });
}

function changed(passport: Passport, event: Passport["history"][number]): Passport {
  return {
    ...passport,
    revision: passport.revision + 1,
    history: [...passport.history, event],
  };
}
