export { type TestCluster, type TestClusterOptions, testCluster } from './cluster.ts'
export { type TestDatabase, testDatabase } from './database.ts'
export { type Platform, type PlatformOptions, type PlatformParts, startPlatform } from './platform.ts'
export { startRegistry, type TestRegistry } from './registry.ts'
