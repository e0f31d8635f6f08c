export const account = {
  "account.activityHint": "Sign-ins, devices, and every change of your account. If something here was not you, change your password.",
};
