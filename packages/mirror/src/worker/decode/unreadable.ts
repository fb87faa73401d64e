/** What came is not what it should be; nothing of it can be relied upon. */
export class Unreadable extends Error {}
