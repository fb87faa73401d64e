/** What came is not an object as an API server sends it. */
export class MalformedObject extends Error {}
