/** Every verb and what does it. The only list; what is not in it is refused. */
import type { Verbs } from "#helper/verb-call.ts";
import { eject, locate, smart, spinDown } from "#helper/verbs/device-orders.ts";
import { identify } from "#helper/verbs/identify.ts";
import { inspect } from "#helper/verbs/inspect.ts";
import { mount, unmount } from "#helper/verbs/mount.ts";
import { provision } from "#helper/verbs/provision.ts";
import { readBlank } from "#helper/verbs/read-blank.ts";

export const verbTable: Verbs = {
  identify,
  inspect,
  read: readBlank,
  provision,
  mount,
  unmount,
  smart,
  locate,
  "spin-down": spinDown,
  eject,
};
