// Package files owns what people upload: files of organizations, with smaller pictures of
// those that are pictures, and the portraits of accounts.
//
// Owns:        files, file_usage, file_avatars
// Permissions: files.read, files.upload, files.manage
// Publishes:   Uploaded, Deleted, Lost
// Jobs:        files.process, files.remove, files.remove_avatar, files.sweep
// Calls:       audit, accounts, orgs
//
// A row says that a file is there; its bytes are a blob, under a key made of ids. Bytes come
// first and go last, so that a row never promises what is not there: what a stopped
// process leaves is bytes without a row, which the sweep removes.
package files
