/** Limits of everything that is read from smartctl, and of how long it may take. */

/** `-a` of a disk with full logs is some 40 KiB. */
export const maxSmartctlBytes = 512 * 1024;
/** A healthy disk answers within a second, one behind a slow bridge within ten. */
export const smartDeadlineMs = 30_000;
/** Of a reason in smartctl's words. */
export const maxReasonLength = 300;
/** Bridges whose way of asking is remembered. */
export const maxRememberedBridges = 256;
