import * as query from "@tanstack/react-query";
import * as React from "react";
import { api, data } from "@/api/client";
import { queryClient } from "@/api/queries";
import { Avatar, Badge, Card, CardBody, CardFooter, CardHeader, Empty, Facts, Page, Row, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Checkbox, Switch } from "@/components/ui/choice";
import { Code, CopyButton } from "@/components/ui/copy";
import { Form, TextArea, TextField } from "@/components/ui/form";
import { Confirm, Dialog, DialogActions, Select } from "@/components/ui/overlay";
import { DataTable } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { ago, day, moment } from "@/lib/format";
import { getLocale } from "@/lib/i18n";
import { type ExtensionPage, pages } from "./load";

/** What an extension's default export is called with. Nothing here changes without a new version. */
export const sdk = {
  version: 1 as const,
  React,
  ui: {
    ...{ Avatar, Badge, Button, Card, CardBody, CardFooter, CardHeader, Checkbox, Code, Confirm, CopyButton, DataTable, Dialog, DialogActions, Empty, Facts },
    ...{ Form, Page, Row, Select, Skeleton, Switch, TextArea, TextField },
  },
  api,
  data,
  query,
  queryClient,
  toast,
  format: { ago, day, moment },
  locale: getLocale,
  addPage(page: ExtensionPage) {
    pages.set(page.path, page);
  },
};

export type ConsoleSDK = typeof sdk;
