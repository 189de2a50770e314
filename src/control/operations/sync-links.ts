/** How changes go to the other storages of the group, as the `status` operation tells it. Sizes in bytes, times in Unix seconds. */
import { choice, list, optional, record, text, wholeNumber } from "#base/schema.ts";

const word = text({ maxLength: 200 });
const sentence = text({ maxLength: 4000 });

/** Of one peer, at most so many set-aside records are shown. */
export const maxShownAside = 20;

export const syncLink = record({
  peer: word,
  /** What the link does, or why it does not move. */
  state: sentence,
  /** Left out while it is not known. */
  software: optional(choice("cairn", "original")),
  /** Changes that were read and are not acknowledged; there may be more behind them in what was not read. */
  pendingRecords: wholeNumber(),
  /** Of the binlogs, not read yet. */
  backlogBytes: wholeNumber(),
  /** How long the oldest change has waited, by the clock; left out while it is not known. */
  lagSeconds: optional(wholeNumber()),
  /** Why store paths do not move, where some do not. */
  problems: list(sentence, { max: 256 }),
  /** Changes that could not be sent, in all. */
  setAside: wholeNumber(),
  /** The first of them. */
  aside: list(
    record({
      storePath: wholeNumber({ max: 255 }),
      /** As it stands in the binlog. */
      record: text({ maxLength: 300 }),
      why: sentence,
      since: wholeNumber(),
      tries: wholeNumber(),
    }),
    { max: maxShownAside },
  ),
});
