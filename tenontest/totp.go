package tenontest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"
)

// CodeApp is somebody's authenticator app. It computes codes by itself (RFC 6238),
// so that tests do not trust the product's library.
type CodeApp struct {
	DeviceID    string
	Secret      string
	BackupCodes []string

	app  *App
	last int64 // time step of the last code
}

// TOTP gives u a second factor. Their other sessions end.
func (a *App) TOTP(u *User) *CodeApp {
	a.t.Helper()
	x := a.SetUpTOTP(u)
	enabled := a.Call(u, "POST", "/totp/enable", fmt.Sprintf(`{"code":%q}`, x.Code())).Want(a.t, 200)
	codes, _ := enabled.Body["backup_codes"].([]any)
	for _, c := range codes {
		x.BackupCodes = append(x.BackupCodes, fmt.Sprint(c))
	}
	return x
}

// SetUpTOTP gives u an authenticator app that is not enabled yet.
func (a *App) SetUpTOTP(u *User) *CodeApp {
	a.t.Helper()
	got := a.Call(u, "POST", "/totp/setup", `{"device_name":"Phone of `+u.Name+`"}`).Want(a.t, 200)
	return &CodeApp{DeviceID: got.Get("device_id"), Secret: got.Get("secret"), app: a}
}

// ticking reports whether the clock moves by itself.
func (a *App) ticking() bool {
	before := a.Config.Now()
	time.Sleep(time.Millisecond)
	return !a.Config.Now().Equal(before)
}

// Code is a code that was not used yet. Without moving the clock there are three.
func (x *CodeApp) Code() string {
	x.app.t.Helper()
	now := x.app.Config.Now().Unix()
	if left := 30 - now%30; left < 5 && x.app.ticking() { // the oldest of them would be too old in a moment
		time.Sleep(time.Duration(left) * time.Second)
		now = x.app.Config.Now().Unix()
	}
	x.last = max(x.last+1, now/30-1)
	if x.last > now/30+1 {
		x.app.t.Fatal("every code that is good now was used; move the clock")
	}
	return x.At(x.last)
}

// At is the code of a time step: the number of half minutes since 1970.
func (x *CodeApp) At(step int64) string {
	x.app.t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(x.Secret)
	x.app.must(err)
	h := hmac.New(sha1.New, key)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := h.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}
