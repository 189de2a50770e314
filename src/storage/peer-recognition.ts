/**
 * Who a peer of ours is that has told its disk: without storage ids it has another id wherever it is, and trackers need not tell of a move.
 * What is noted of the former one holds for the disk, and not for a copy of it in another box. Pure.
 */
import { isAvailable, type Peer } from "#storage/peer-directory.ts";

export type Recognition =
  /** Nobody else was known by this disk, or nothing can be told. */
  | { readonly kind: "itself" }
  /** It is who `former` was. */
  | { readonly kind: "moved"; readonly former: Peer }
  /** Trackers have `former` in service still: it is not clear yet. */
  | { readonly kind: "unclear"; readonly former: Peer }
  /** Both are there. */
  | { readonly kind: "copy"; readonly former: Peer };

export interface RecognitionFacts {
  readonly id: string;
  /** Empty where it is not known. */
  readonly disk: string;
  /** Of this node. */
  readonly ownDisk: string;
  /** Who was known by the disk last. */
  readonly former: Peer | undefined;
  /** It answered a moment ago. */
  readonly isFormerHeard: boolean;
}

export function recognizePeer(facts: RecognitionFacts): Recognition {
  const { id, disk, ownDisk, former, isFormerHeard } = facts;
  if (disk === "" || disk === ownDisk || former === undefined || former.id === id) {
    return { kind: "itself" };
  }
  if (!isAvailable(former.status)) return { kind: "moved", former };
  return { kind: isFormerHeard ? "copy" : "unclear", former };
}
