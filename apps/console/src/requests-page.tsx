import { PlaceField, placeBody } from '../../../features/tenancy/grant/place-field.console.tsx'
import { RequestsPage as Requests } from '../../../features/tenancy/request/requests.console.tsx'

/** Requests, whose places are chosen as those of grants are. */
export const RequestsPage = () => <Requests places={{ field: (props) => <PlaceField {...props} />, body: placeBody }} />
