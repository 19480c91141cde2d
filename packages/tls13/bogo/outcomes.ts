// The two ways in which a test of the runner ends early.

/** The runner wants something that this stack does not have: exit status 89 (ssl/test/PORTING.md). */
export class Unimplemented extends Error {}

/** The connection did not go as the flags say: exit status 1, with the message for the runner. */
export class Failure extends Error {}
