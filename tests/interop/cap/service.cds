/* A service with the one table that dwclean knows in Dataverse; everything else is CAP's own. */
@path: '/odata/v4/dataverse'
service dataverse {
  @cds.query.limit: { default: 7, max: 7 }
  entity msdyn_dualwriteruntimeconfigs {
    key msdyn_dualwriteruntimeconfigid : UUID;
        msdyn_name               : String;
        msdyn_internalentityname : String;
        msdyn_externalentityname : String;
        msdyn_unsecure           : String(5000);
        statecode                : Integer;
        createdon                : Timestamp @cds.on.insert: $now;
        @odata.etag
        modifiedon               : Timestamp @cds.on.insert: $now  @cds.on.update: $now;
  }
}
