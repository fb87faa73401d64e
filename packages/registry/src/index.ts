export { type Credentials, parseRegistryAddress, type RegistryAddress } from './address.ts'
export type { Configuration, Platform } from './manifest.ts'
export { type Listing, openRegistry, type Registry, type RegistryImage, type RegistryOptions } from './registry.ts'
export { RegistryError, type RegistryErrorReason } from './registry-error.ts'
