export { describe } from "./describe";
export { EventDetail } from "./detail";
export { type EventFilter, filterQuery, isFiltered, readFilter, useFilterQuery } from "./filter";
export { EventTable } from "./table";
export { type AuditEvent, accountEvents, type EventLog, orgEvents, platformEvents } from "./types";
