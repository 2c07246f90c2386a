"""Elements of vendors: `@enterprise vendor`, then `number name type[:reading] [unit]`; see elements.py.

Names are the vendors' own, with the vendor in front when they are printed; each is in at least one published decoder or
guide, and where two differ the choice is:

0: types NetFlow v9 vendors took without an enterprise number. 65 to 69 are "vendor proprietary" in Cisco's list;
  FortiGate fills 65. Types above 32767 are Cisco's elements with the highest bit set, where Cisco's table has them.
9: 9360 is called policyQosQueueIndex as well; 12235 carries a sub-application number before the host's octets and stays
  octets, as do 12232 to 12234, 12243 and 12244, whose types the guides disagree on.
5951: httpReqRcvFB to httpResForwLB are timestamps for some, plain numbers for others: real values are no NTP time, so
  numbers. Elements from 270 on have no published names.
6871: yaf 3 renamed expiredFragmentCount and its like to yafExpiredFragmentCount; the new names are used.
6876: 880 to 890 as VMware lists them; older decoders call them unknown.
35632: 85 to 87 are SRC_TO_SRC in one decoder, an obvious slip for DST_TO_SRC.
"""

from typing import Final

VENDOR_TABLE: Final = """\
@0 -
65 vendorProprietary65 oct; 66 vendorProprietary66 oct; 67 vendorProprietary67 oct; 68 vendorProprietary68 oct
69 vendorProprietary69 oct
@0 streamcore
8192 wanRtt u32; 8193 netAppRespTime u32; 8194 totalAppRespTime u32; 8195 tcpRetransRate u16; 8196 callDirection u8
8256 hostname str; 8257 url str; 8258 sslCn str; 8259 sslOrg str; 8320 mosLq u16; 8321 netDelay u16; 8322 netLoss u16
8323 netJitter u16; 8324 netDiscard u16; 8325 rtpClockrateIn u8; 8326 rtpClockrateOut u8; 8327 codecIn u8
8328 codecOut u8; 8384 idRule1 u32; 8385 idRule2 u32; 8386 idRule3 u32; 8387 idRule4 u32; 8388 idRule5 u32
8389 idRule6 u32; 8390 idRule7 u32; 8391 idRule8 u32; 8392 idRule9 u32; 8393 idRule10 u32
@0 ericsson
24628 natLogContextId u32; 24629 natLogContextName str; 24630 natLogAssignTime sec; 24631 natLogUnassignTime sec
24632 natLogIPv4InternalAddress ip4; 24633 natLogIPv4ExternalAddress ip4; 24634 natLogExternalPortFirst u16
24635 natLogExternalPortLast u16
@0 cisco
33000 ingressAclId oct:acl; 33001 egressAclId oct:acl; 33002 fwExtEvent u16:fwext; 34000 sgtSourceTag u16
34001 sgtDestinationTag u16; 34002 sgtSourceName str; 34003 sgtDestinationName str; 37000 packetsDropped u64 packets
37003 byteRate u64; 37004 applicationMediaBytes u64 octets; 37006 applicationMediaByteRate u64
37007 applicationMediaPackets u64 packets; 37009 applicationMediaPacketRate u64; 37011 applicationMediaEvent u8
37012 monitorEvent u8; 37013 timestampInterval u64; 37014 transportPacketsExpected u64 packets
37016 transportRoundTripTime u64; 37017 transportEventPacketLoss u64; 37021 transportPacketsLostRate u64
37023 transportRtpJitterMean u32; 37024 transportRtpJitterMinimum u32; 37071 transportBytesOutOfOrder u64 octets
37074 transportPacketsOutOfOrder u64 packets; 37083 transportTcpWindowSizeMinimum u32 octets
37084 transportTcpWindowSizeMaximum u32 octets; 37085 transportTcpWindowSizeMean u32 octets
37086 transportTcpMaximumSegmentSize u16 octets; 40000 userName str; 40001 xlateSourceIPv4Address ip4
40002 xlateDestinationIPv4Address ip4; 40003 xlateSourcePort u16; 40004 xlateDestinationPort u16
40005 firewallEvent u8:fwevent
@0 paloalto
56701 appId str; 56702 userId str
@9 cisco
4251 transportPacketsLostCounter u64 packets; 4254 transportRtpSsrc u32; 4257 transportRtpJitterMaximum u32
4273 transportRtpPayloadType u8; 4325 transportRtpJitterMeanSum u64; 8232 policyQosClassificationHierarchy oct
8233 c3plClassCceId u32; 8234 c3plClassName str; 8235 c3plClassType str; 8236 c3plPolicyCceId u32
8237 c3plPolicyName str; 8238 c3plPolicyType str; 9252 servicesWaasSegment u8; 9253 servicesWaasPassThroughReason u8
9265 artClientPackets u64 packets; 9266 artServerPackets u64 packets; 9268 artCountRetransmissions u32 packets
9272 artCountTransactions u32; 9273 artTotalTransactionTimeSum u32 milliseconds
9274 artTotalTransactionTimeMaximum u32 milliseconds; 9275 artTotalTransactionTimeMinimum u32 milliseconds
9282 artCountNewConnections u32; 9292 artCountResponses u32; 9293 artCountResponsesHistogramBucket1 u32
9294 artCountResponsesHistogramBucket2 u32; 9295 artCountResponsesHistogramBucket3 u32
9296 artCountResponsesHistogramBucket4 u32; 9297 artCountResponsesHistogramBucket5 u32
9298 artCountResponsesHistogramBucket6 u32; 9299 artCountResponsesHistogramBucket7 u32; 9300 artCountLateResponses u32
9303 artResponseTimeSum u32 milliseconds; 9304 artResponseTimeMaximum u32 milliseconds
9305 artResponseTimeMinimum u32 milliseconds; 9306 artServerResponseTimeSum u32 milliseconds
9307 artServerResponseTimeMaximum u32 milliseconds; 9308 artServerResponseTimeMinimum u32 milliseconds
9309 artTotalResponseTimeSum u32 milliseconds; 9310 artTotalResponseTimeMaximum u32 milliseconds
9311 artTotalResponseTimeMinimum u32 milliseconds; 9313 artNetworkTimeSum u32 milliseconds
9314 artNetworkTimeMaximum u32 milliseconds; 9315 artNetworkTimeMinimum u32 milliseconds
9316 artClientNetworkTimeSum u32 milliseconds; 9317 artClientNetworkTimeMaximum u32 milliseconds
9318 artClientNetworkTimeMinimum u32 milliseconds; 9319 artServerNetworkTimeSum u32 milliseconds
9320 artServerNetworkTimeMaximum u32 milliseconds; 9321 artServerNetworkTimeMinimum u32 milliseconds
9357 applicationHttpUriStatistics oct; 9360 policyQosQueueId u32; 9361 policyQosQueueDrops u64 packets
12232 applicationCategoryName oct; 12233 applicationSubCategoryName oct; 12234 applicationGroupName oct
12235 applicationHttpHost oct; 12236 connectionClientIPv4Address ip4; 12237 connectionServerIPv4Address ip4
12238 connectionClientIPv6Address ip6; 12239 connectionServerIPv6Address ip6; 12240 connectionClientTransportPort u16
12241 connectionServerTransportPort u16; 12242 connectionId u32; 12243 applicationTrafficClass oct
12244 applicationBusinessRelevance oct
@637 alcatel
91 natInsideSvcid u16; 92 natOutsideSvcid u16; 93 natSubString str
@2636 juniper
137 commonPropertiesId oct:cpid
@3054 ixia
110 l7AppId u32; 111 l7AppName str; 120 srcCountryCode str; 121 srcCountryName str; 122 srcRegionCode str
123 srcRegionName str; 125 srcCityName str; 126 srcLatitude f32; 127 srcLongitude f32; 140 dstCountryCode str
141 dstCountryName str; 142 dstRegionCode str; 143 dstRegionName str; 145 dstCityName str; 146 dstLatitude f32
147 dstLongitude f32; 160 deviceId u8; 161 deviceName str; 162 browserId u8; 163 browserName str
176 revOctetDeltaCount u64; 177 revPacketDeltaCount u64; 178 encryptType str; 179 encryptCipher str
180 encryptKeyLength u16; 181 imsiSubscriber str; 182 httpUserAgent str; 183 httpHostName str; 184 httpUri str
185 dnsRecordTxt str; 186 srcAsName str; 187 dstAsName str; 188 latency u32; 189 dnsQuery str; 190 dnsAnswer str
191 dnsClasses str; 192 threatType str; 193 threatIPv4 ip4; 194 threatIPv6 ip6; 195 httpSessions oct
196 requestTimeS oct; 197 dnsRecords oct; 198 dnsName str; 199 dnsRdataIPv4 ip4; 200 dnsRdataIPv6 ip6; 201 tlsSNI str
202 dhcpClientId oct; 203 dhcpClientMAC mac; 204 dhcpEvents oct; 205 dhcpEventTimestamp oct; 206 dhcpEventType oct
207 dhcpLeaseDuration oct; 208 dhcpServername str; 209 radiusMessages oct; 210 radiusMessageRxTimestamp oct
211 radiusEventTimestamp oct; 212 radiusUsername str; 213 radiusNASIPv4 ip4; 214 radiusServiceType u32
215 radiusFramedProtocol u32; 216 radiusFilterID str; 217 radiusReplyMessage str; 218 radiusCalledStationID str
219 httpConnection str; 220 httpAccept str; 221 httpAcceptLanguage str; 222 httpAcceptEncoding str; 223 httpReason str
224 httpServer str; 225 radiusCallingStationID str; 226 httpContentLength u32; 227 httpReferer str; 228 httpUACPU str
229 emailMessages oct; 230 emailMsgID str; 231 emailMsgDate str; 232 emailMsgSubject str; 233 emailMsgTo str
234 emailMsgFrom str; 235 emailMsgCC str; 236 emailMsgBCC str; 237 emailMsgAttachments str; 238 tlsServerCert oct
239 tlsServerCertIssuer oct; 240 tlsServerCertIssuerAttr str; 241 tlsServerCertIssuerValue str
242 tlsServerCertSubject oct; 243 tlsServerCertSubjectAttr str; 244 tlsServerCertSubjectValue str
245 tlsServerCertValidNotBefore str; 246 tlsServerCertValidNotAfter str; 247 tlsServerCertSerialNumber str
248 tlsServerCertSignAlgorithm oct; 249 tlsServerCertSubjectPKIAlgorithm oct; 250 tlsServerCertAltNames oct
251 tlsServerCertAltNamesAttr str; 252 tlsServerCertAltNamesValue str; 253 dnsMessages oct; 254 dnsTransactionId u16
255 dnsMsgOpcode u8; 256 dnsRecRequestType oct; 257 dnsMsgRcode u8; 258 dnsRecordTTL oct; 259 dnsRawRdata oct
260 dnsResponseType oct; 261 radiusFramedIP str; 262 dnsMsgQDCount oct; 263 dnsMsgANCount oct; 264 dnsMsgNSCount oct
265 dnsMsgARCount oct; 266 dnsMsgAuthoritativeAnswer oct; 267 dnsMsgTruncation oct; 268 dnsMsgRecursionDesired oct
269 dnsMsgRecursionAvailable oct; 270 dnsRdataLength oct; 271 dnsQuestions oct; 272 dnsQueryType u16
273 dnsQueryName str; 274 dnsSectionType oct; 275 dnsMsgQRFlag oct; 276 dnsCname str; 277 dnsMailExchangeDomain oct
278 dhcpAgentCircuitID str; 279 ja3FingerprintString oct; 280 tcpConnectionSetupTimeUs oct
281 tcpApplicationResponseTimeUs oct; 282 tcpCountOfRetransmittedPackets oct; 283 connectionAverageRoundTripTimeUs oct
284 udpAverageResponseTimeUs oct; 285 timeToCompleteAQUICHandshakeUs u32; 286 quicNetworkRTTUs u32
287 quicRTTForApplicationPacketsUs u32; 288 theNameOfTheMatchedFilter oct
@5951 netscaler
128 roundTripTime u32 milliseconds; 129 transactionId u32; 130 httpReqUrl str; 131 httpReqCookie str
132 flowFlags u64; 133 connectionId u32; 134 syslogPriority u8; 135 syslogMessage str; 136 syslogTimestamp u64
140 httpReqReferer str; 141 httpReqMethod str; 142 httpReqHost str; 143 httpReqUserAgent str; 144 httpRspStatus u16
145 httpRspLen u64; 146 serverTTFB u64 microseconds; 147 serverTTLB u64 microseconds; 150 appNameIncarnationNumber u32
151 appNameAppId u32; 152 appName str; 153 httpReqRcvFB u64; 156 httpReqForwFB u64; 157 httpResRcvFB u64
158 httpResForwFB u64; 159 httpReqRcvLB u64; 160 httpReqForwLB u64; 161 mainPageId u32; 162 mainPageCoreId u32
163 httpClientInteractionStartTime str; 164 httpClientRenderEndTime str; 165 httpClientRenderStartTime str
167 appTemplateName str; 168 httpClientInteractionEndTime str; 169 httpResRcvLB u64; 170 httpResForwLB u64
171 appUnitNameAppId u32; 172 dbLoginFlags u32; 173 dbReqType u8; 174 dbProtocolName u8; 175 dbUserName str
176 dbDatabaseName str; 177 dbCltHostName str; 178 dbReqString str; 179 dbRespStatusString str; 180 dbRespStatus u64
181 dbRespLength u64; 182 clientRTT u32; 183 httpContentType str; 185 httpReqAuthorization str; 186 httpReqVia str
187 httpResLocation str; 188 httpResSetCookie str; 189 httpResSetCookie2 str; 190 httpReqXForwardedFor str
192 connectionChainID oct; 193 connectionChainHopCount u8; 200 icaSessionGuid oct; 201 icaClientVersion str
202 icaClientType u16; 203 icaClientIP ip4; 204 icaClientHostName str; 205 aaaUsername str; 207 icaDomainName str
208 icaClientLauncher u16; 209 icaSessionSetupTime u32; 210 icaServerName str; 214 icaSessionReconnects u8
215 icaRTT u32; 216 icaClientsideRXBytes u32; 217 icaClientsideTXBytes u32; 219 icaClientsidePacketsRetransmit u16
220 icaServersidePacketsRetransmit u16; 221 icaClientsideRTT u32; 222 icaServersideRTT u32
223 icaSessionUpdateBeginSec u32; 224 icaSessionUpdateEndSec u32; 225 icaChannelId1 u32; 226 icaChannelId1Bytes u32
227 icaChannelId2 u32; 228 icaChannelId2Bytes u32; 229 icaChannelId3 u32; 230 icaChannelId3Bytes u32
231 icaChannelId4 u32; 232 icaChannelId4Bytes u32; 233 icaChannelId5 u32; 234 icaChannelId5Bytes u32
235 icaConnectionPriority u16; 236 applicationStartupDuration u32; 237 icaLaunchMechanism u16
238 icaApplicationName str; 239 applicationStartupTime u32; 240 icaApplicationTerminationType u16
241 icaApplicationTerminationTime u32; 242 icaSessionEndTime u32; 243 icaClientsideJitter u32
244 icaServersideJitter u32; 245 icaAppProcessID u32; 246 icaAppModulePath str; 247 icaDeviceSerialNo u32
248 msiClientCookie oct; 249 icaFlags u64; 250 icaUsername str; 251 licenseType u8; 252 maxLicenseCount u64
253 currentLicenseConsumed u64; 254 icaNetworkUpdateStartTime u32; 255 icaNetworkUpdateEndTime u32
256 icaClientsideSRTT u32; 257 icaServersideSRTT u32; 258 icaClientsideDelay u32; 259 icaServersideDelay u32
260 icaHostDelay u32; 261 icaClientSideWindowSize u16; 262 icaServerSideWindowSize u16; 263 icaClientSideRTOCount u16
264 icaServerSideRTOCount u16; 265 icaL7ClientLatency u32; 266 icaL7ServerLatency u32; 267 httpDomainName str
268 cacheRedirClientConnectionCoreID u32; 269 cacheRedirClientConnectionTransactionID u32
@6871 cert
12 obsoleteReverseOctetTotalCount u64 octets; 13 obsoleteReversePacketTotalCount u64 packets
14 initialTCPFlags u16:tcpflags; 15 unionTCPFlags u16:tcpflags; 16 obsoleteReverseInitialTCPFlags u8:tcpflags
17 obsoleteReverseUnionTCPFlags u8:tcpflags; 18 payload oct; 19 obsoleteReversePayload oct
20 obsoleteReverseTcpSequenceNumber u32; 21 reverseFlowDeltaMilliseconds u32 milliseconds
29 obsoleteReverseVlanId u16; 30 silkFlowtypeId u8; 31 silkSensorId u16; 32 silkTCPState u8; 33 silkAppLabel u16
35 payloadEntropy u8; 36 osName str; 37 osVersion str; 38 firstPacketBanner oct; 39 secondPacketBanner oct
40 flowAttributes u16; 100 yafExpiredFragmentCount u32 packets; 101 yafAssembledFragmentCount u32 packets
102 yafMeanFlowRate u32 flows; 103 yafMeanPacketRate u32 packets; 104 yafFlowTableFlushEventCount u32 flows
105 yafFlowTablePeakCount u32 flows; 106 yafFlowKeyHash u32; 107 osFingerprint str; 126 tftpFilename str
127 tftpMode str; 174 dnsQueryResponse u8; 175 dnsQRType u16; 176 dnsAuthoritative u8; 177 dnsNXDomain u8
178 dnsRRSection u8; 179 dnsQName str; 180 dnsCName str; 181 dnsMXPreference u16; 182 dnsMXExchange str
183 dnsNSDName str; 184 dnsPTRDName str; 185 sslCipher oct; 186 sslClientVersion u8; 187 sslServerCipher u32
188 sslCompressionMethod u8; 189 sslCertVersion u8; 190 sslCertSignature oct; 199 dnsTTL u32 seconds
208 dnsTXTData str; 209 dnsSOASerial u32; 210 dnsSOARefresh u32 seconds; 211 dnsSOARetry u32 seconds
212 dnsSOAExpire u32 seconds; 213 dnsSOAMinimum u32 seconds; 214 dnsSOAMName str; 215 dnsSOARName str
216 dnsSRVPriority u16; 217 dnsSRVWeight u16; 218 dnsSRVPort u16; 219 dnsSRVTarget str; 226 dnsID u16
244 sslCertSerialNumber oct; 245 sslObjectType oct; 246 sslObjectValue str; 247 sslCertValidityNotBefore str
248 sslCertValidityNotAfter str; 249 sslPublicKeyAlgorithm oct; 250 sslPublicKeyLength oct; 287 rtpPayloadType u8
288 reverseRtpPayloadType u8; 289 mptcpInitialDataSequenceNumber u64; 290 mptcpReceiverToken u32
291 mptcpMaximumSegmentSize u16 octets; 292 mptcpAddressId u8; 293 mptcpFlags u8; 294 sslServerName str
295 sslCertificateHash oct; 298 sslCertificateSHA1 oct; 299 sslCertificateMD5 oct; 300 ndpiL7Protocol u16
301 ndpiL7SubProtocol u16; 305 pipelineDNSARecord stl; 306 pipelineDNSAAAARecord stl
307 pipelineDNSResourceRecord stl; 460 sslCertValidityTotalDays i32; 461 sslCertValidityDaysTimeOfUse i32
462 sslCertificateSHA256 oct; 500 smallPacketCount u32 packets; 501 nonEmptyPacketCount u32 packets
502 dataByteCount u64 octets; 503 averageInterarrivalTime u64 milliseconds
504 standardDeviationInterarrivalTime u64 milliseconds; 505 firstNonEmptyPacketSize u16 octets
506 maxPacketSize u16 octets; 507 firstEightNonEmptyPacketDirections u8; 508 standardDeviationPayloadLength u16 octets
509 tcpUrgentCount u32 packets; 510 largePacketCount u32 packets; 550 certToolTombstoneId u32
551 certToolExporterConfiguredId u16; 552 certToolExporterUniqueId u16; 553 certToolId u32
554 certToolTombstoneAccessList stl; 927 smDNSData str; 928 dnsHitCount u16; 929 smDedupHitCount u64
930 smDedupData oct; 931 smIPSetMatchesSource u8; 932 smIPSetMatchesDestination u8; 933 smIPSetName str
934 smPrefixMapLabelSource str; 935 smPrefixMapLabelDestination str; 936 smPrefixMapTypeId u8; 937 smPrefixMapName str
938 silkFlowtypeName str; 939 silkClassName str; 940 silkTypeName str; 941 silkSensorName str
942 silkSensorDescription str; 943 yafLayer2SegmentId u32; 1000 templateName str; 1001 templateDescription str
@6876 vmware
880 tenantProtocol u8:protocol; 881 tenantSourceIPv4 ip4; 882 tenantDestIPv4 ip4; 883 tenantSourceIPv6 ip6
884 tenantDestIPv6 ip6; 886 tenantSourcePort u16; 887 tenantDestPort u16; 888 egressInterfaceAttr u16
889 vxlanExportRole u8; 890 ingressInterfaceAttr u16
@9789 astaro
1 afcProtocol u16; 2 afcProtocolName str; 4 flowDirection u8
@10704 barracuda
1 timestamp sec; 2 logOp u8:logop; 3 trafficType u8:traffictype; 4 fwRule str; 5 serviceName str; 6 reason u32
7 reasonText str; 8 bindIPv4Address ip4; 9 bindTransportPort u16; 10 connIPv4Address ip4; 11 connTransportPort u16
12 auditCounter u32
@13745 plixer
100 client_ip_v4 oct; 101 client_hostname str; 102 partner_name str; 103 server_hostname str; 104 server_ip_v4 ip4
105 recipient_address str; 106 event_id u32; 107 msgid str; 108 priority oct; 109 recipient_report_status u32
110 number_recipients u32; 111 origination_time oct; 112 encryption u32; 113 service_version str; 114 linked_msgid str
115 message_subject str; 116 sender_address str; 117 date_time oct; 118 client_ip_v6 oct; 119 server_ip_v6 oct
120 source_context oct; 121 connector_id oct; 122 source_component oct; 124 related_recipient_address oct
125 reference oct; 126 return_path oct; 127 message_info oct; 128 directionality oct; 129 tenant_id oct
130 original_client_ip_v4 oct; 131 original_server_ip_v4 oct; 132 custom_data oct; 133 internal_message_id oct
@15397 procera
1 service str; 2 baseService str; 3 incomingOctets u64; 4 outgoingOctets u64; 5 incomingPackets u64
6 outgoingPackets u64; 7 incomingShapingLatency u16; 8 outgoingShapingLatency u16; 9 incomingShapingDrops u32
10 outgoingShapingDrops u32; 11 internalRtt i32; 12 externalRtt i32; 15 flowBehavior str; 16 contentCategories str
17 property str; 18 serverHostname str; 19 httpRequestMethod str; 20 httpUserAgent str; 21 httpContentType str
22 httpUrl str; 23 httpReferer str; 24 httpResponseStatus u16; 25 httpFileLength u32; 26 httpLocation str
27 httpLanguage str; 28 subscriberIdentifier str; 29 msisdn u64; 30 imsi u64; 31 rat str; 32 deviceId u64; 33 sgsn str
34 rnc u16; 35 apn str; 36 userLocationInformation str; 37 ggsn str; 38 qoeIncomingInternal f32
39 qoeIncomingExternal f32; 40 qoeOutgoingInternal f32; 41 qoeOutgoingExternal f32; 42 localIPv4Host ip4
43 localIPv6Host ip6; 44 remoteIPv4Host ip4; 45 remoteIPv6Host ip6; 46 httpRequestVersion str; 47 templateName str
@21373 netfilter
4 mark u32; 6 conntrackId u32
@26866 gigamon
1 httpReqUrl str; 2 httpRspStatus u16; 101 sslCertificateIssuerCommonName str; 102 sslCertificateSubjectCommonName str
103 sslCertificateIssuer str; 104 sslCertificateSubject str; 105 sslCertificateValidNotBefore str
106 sslCertificateValidNotAfter str; 107 sslCertificateSerialNumber oct; 108 sslCertificateSignatureAlgorithm oct
109 sslCertificateSubjectPubAlgorithm oct; 110 sslCertificateSubjectPubKeySize u16
111 sslCertificateSubjectAltName str; 112 sslServerNameIndication str; 113 sslServerVersion u16
114 sslServerCipher u16; 115 sslServerCompressionMethod u8; 116 sslServerSessionId oct; 201 dnsIdentifier u16
202 dnsOpCode u8; 203 dnsResponseCode u8; 204 dnsQueryName str; 205 dnsResponseName str; 206 dnsResponseTTL u32
207 dnsResponseIPv4Address ip4; 208 dnsResponseIPv6Address ip6; 209 dnsBits str; 210 dnsQdCount u16
211 dnsAnCount u16; 212 dnsNsCount u16; 213 dnsArCount u16; 214 dnsQueryType u16; 215 dnsQueryClass u16
216 dnsResponseType u16; 217 dnsResponseClass u16; 218 dnsResponseRdLength u16; 219 dnsResponseRdata str
220 dnsAuthorityName str; 221 dnsAuthorityType u16; 222 dnsAuthorityClass u16; 223 dnsAuthorityTTL u32
224 dnsAuthorityRdLength u16; 225 dnsAuthorityRdata str; 226 dnsAdditionalName str; 227 dnsAdditionalType u16
228 dnsAdditionalClass u16; 229 dnsAdditionalTTL u32; 230 dnsAdditionalRdLength u16; 231 dnsAdditionalRdata str
@35632 ntop
80 SRC_FRAGMENTS u16; 81 DST_FRAGMENTS u16; 82 SRC_TO_DST_MAX_THROUGHPUT u32; 83 SRC_TO_DST_MIN_THROUGHPUT u32
84 SRC_TO_DST_AVG_THROUGHPUT u32; 85 DST_TO_SRC_MAX_THROUGHPUT oct; 86 DST_TO_SRC_MIN_THROUGHPUT oct
87 DST_TO_SRC_AVG_THROUGHPUT oct; 88 NUM_PKTS_UP_TO_128_BYTES u32; 89 NUM_PKTS_128_TO_256_BYTES u32
90 NUM_PKTS_256_TO_512_BYTES u32; 91 NUM_PKTS_512_TO_1024_BYTES u32; 92 NUM_PKTS_1024_TO_1514_BYTES u32
93 NUM_PKTS_OVER_1514_BYTES u32; 98 CUMULATIVE_ICMP_TYPE u16; 101 SRC_IP_COUNTRY str; 102 SRC_IP_CITY str
103 DST_IP_COUNTRY str; 104 DST_IP_CITY str; 105 FLOW_PROTO_PORT u16; 106 UPSTREAM_TUNNEL_ID oct
107 LONGEST_FLOW_PKT u16; 108 SHORTEST_FLOW_PKT u16; 109 RETRANSMITTED_IN_PKTS u32; 110 RETRANSMITTED_OUT_PKTS u32
111 OOORDER_IN_PKTS u32; 112 OOORDER_OUT_PKTS u32; 113 UNTUNNELED_PROTOCOL u8; 114 UNTUNNELED_IPV4_SRC_ADDR ip4
115 UNTUNNELED_L4_SRC_PORT u16; 116 UNTUNNELED_IPV4_DST_ADDR ip4; 117 UNTUNNELED_L4_DST_PORT u16; 118 L7_PROTO u16
119 L7_PROTO_NAME str; 120 DOWNSTREAM_TUNNEL_ID oct; 121 FLOW_USER_NAME str; 122 FLOW_SERVER_NAME str
123 CLIENT_NW_LATENCY_MS u32; 124 SERVER_NW_LATENCY_MS oct; 125 APPL_LATENCY_MS u32; 126 PLUGIN_NAME str
127 RETRANSMITTED_IN_BYTES u32; 128 RETRANSMITTED_OUT_BYTES u32; 130 SIP_CALL_ID str; 131 SIP_CALLING_PARTY str
132 SIP_CALLED_PARTY str; 133 SIP_RTP_CODECS str; 134 SIP_INVITE_TIME oct; 135 SIP_TRYING_TIME oct
136 SIP_RINGING_TIME oct; 137 SIP_INVITE_OK_TIME oct; 138 SIP_INVITE_FAILURE_TIME oct; 139 SIP_BYE_TIME oct
140 SIP_BYE_OK_TIME oct; 141 SIP_CANCEL_TIME oct; 142 SIP_CANCEL_OK_TIME oct; 143 SIP_RTP_IPV4_SRC_ADDR ip4
144 SIP_RTP_L4_SRC_PORT u16; 145 SIP_RTP_IPV4_DST_ADDR ip4; 146 SIP_RTP_L4_DST_PORT u16; 147 SIP_RESPONSE_CODE u32
148 SIP_REASON_CAUSE u32; 150 RTP_FIRST_SEQ u32; 151 RTP_FIRST_TS u32; 152 RTP_LAST_SEQ u32; 153 RTP_LAST_TS u32
154 RTP_IN_JITTER u32; 155 RTP_OUT_JITTER u32; 156 RTP_IN_PKT_LOST u32; 157 RTP_OUT_PKT_LOST u32
158 RTP_OUT_PAYLOAD_TYPE u8; 159 RTP_IN_MAX_DELTA u32; 160 RTP_OUT_MAX_DELTA u32; 161 RTP_IN_PAYLOAD_TYPE u8
168 SRC_PROC_PID oct; 169 SRC_PROC_NAME str; 180 HTTP_URL str; 181 HTTP_RET_CODE u16; 182 HTTP_REFERER str
183 HTTP_UA str; 184 HTTP_MIME str; 185 SMTP_MAIL_FROM str; 186 SMTP_RCPT_TO str; 187 HTTP_HOST str
188 SSL_SERVER_NAME str; 189 BITTORRENT_HASH str; 195 MYSQL_SRV_VERSION oct; 196 MYSQL_USERNAME str; 197 MYSQL_DB str
198 MYSQL_QUERY str; 199 MYSQL_RESPONSE u16; 200 ORACLE_USERNAME str; 201 ORACLE_QUERY str; 202 ORACLE_RSP_CODE oct
203 ORACLE_RSP_STRING oct; 204 ORACLE_QUERY_DURATION u32; 205 DNS_QUERY str; 206 DNS_QUERY_ID u16
207 DNS_QUERY_TYPE u8; 208 DNS_RET_CODE u8; 209 DNS_NUM_ANSWERS u8; 210 POP_USER str; 220 GTPV1_REQ_MSG_TYPE oct
221 GTPV1_RSP_MSG_TYPE u8; 222 GTPV1_C2S_TEID_DATA u32; 223 GTPV1_C2S_TEID_CTRL u32; 224 GTPV1_S2C_TEID_DATA u32
225 GTPV1_S2C_TEID_CTRL u32; 226 GTPV1_END_USER_IP ip4; 227 GTPV1_END_USER_IMSI str; 228 GTPV1_END_USER_MSISDN str
229 GTPV1_END_USER_IMEI str; 230 GTPV1_APN_NAME str; 231 GTPV1_RAI_MCC u16; 232 GTPV1_RAI_MNC u16
233 GTPV1_ULI_CELL_LAC u16; 234 GTPV1_ULI_CELL_CI u16; 235 GTPV1_ULI_SAC u16; 236 GTPV1_RAT_TYPE u8
240 RADIUS_REQ_MSG_TYPE u8; 241 RADIUS_RSP_MSG_TYPE u8; 242 RADIUS_USER_NAME str; 243 RADIUS_CALLING_STATION_ID str
244 RADIUS_CALLED_STATION_ID str; 245 RADIUS_NAS_IP_ADDR ip4; 246 RADIUS_NAS_IDENTIFIER str; 247 RADIUS_USER_IMSI str
248 RADIUS_USER_IMEI str; 249 RADIUS_FRAMED_IP_ADDR ip4; 250 RADIUS_ACCT_SESSION_ID str
251 RADIUS_ACCT_STATUS_TYPE str; 252 RADIUS_ACCT_IN_OCTETS oct; 253 RADIUS_ACCT_OUT_OCTETS oct
254 RADIUS_ACCT_IN_PKTS u32; 255 RADIUS_ACCT_OUT_PKTS u32; 260 IMAP_LOGIN str; 270 GTPV2_REQ_MSG_TYPE u8
271 GTPV2_RSP_MSG_TYPE u8; 272 GTPV2_C2S_S1U_GTPU_TEID u32; 273 GTPV2_C2S_S1U_GTPU_IP ip4
274 GTPV2_S2C_S1U_GTPU_TEID str; 275 GTPV2_S2C_S1U_GTPU_IP ip4; 276 GTPV2_END_USER_IMSI str
277 GTPV2_END_USER_MSISDN str; 278 GTPV2_APN_NAME str; 279 GTPV2_ULI_MCC u16; 280 GTPV2_ULI_MNC u16
281 GTPV2_ULI_CELL_TAC u16; 282 GTPV2_ULI_CELL_ID u32; 283 GTPV2_RAT_TYPE u8; 284 GTPV2_PDN_IP u32
285 GTPV2_END_USER_IMEI str; 290 SRC_AS_PATH_1 u32; 291 SRC_AS_PATH_2 u32; 292 SRC_AS_PATH_3 u32
293 SRC_AS_PATH_4 u32; 294 SRC_AS_PATH_5 u32; 295 SRC_AS_PATH_6 u32; 296 SRC_AS_PATH_7 u32; 297 SRC_AS_PATH_8 u32
298 SRC_AS_PATH_9 u32; 299 SRC_AS_PATH_10 u32; 300 DST_AS_PATH_1 u32; 301 DST_AS_PATH_2 u32; 302 DST_AS_PATH_3 u32
303 DST_AS_PATH_4 u32; 304 DST_AS_PATH_5 u32; 305 DST_AS_PATH_6 u32; 306 DST_AS_PATH_7 u32; 307 DST_AS_PATH_8 u32
308 DST_AS_PATH_9 u32; 309 DST_AS_PATH_10 u32; 320 MYSQL_APPL_LATENCY_USEC u32; 321 GTPV0_REQ_MSG_TYPE u8
322 GTPV0_RSP_MSG_TYPE u8; 323 GTPV0_TID u64; 324 GTPV0_END_USER_IP ip4; 325 GTPV0_END_USER_MSISDN str
326 GTPV0_APN_NAME str; 327 GTPV0_RAI_MCC u16; 328 GTPV0_RAI_MNC u16; 329 GTPV0_RAI_CELL_LAC u16
330 GTPV0_RAI_CELL_RAC u16; 331 GTPV0_RESPONSE_CAUSE u8; 332 GTPV1_RESPONSE_CAUSE u8; 333 GTPV2_RESPONSE_CAUSE u8
334 NUM_PKTS_TTL_5_32 u32; 335 NUM_PKTS_TTL_32_64 u32; 336 NUM_PKTS_TTL_64_96 u32; 337 NUM_PKTS_TTL_96_128 u32
338 NUM_PKTS_TTL_128_160 u32; 339 NUM_PKTS_TTL_160_192 u32; 340 NUM_PKTS_TTL_192_224 u32; 341 NUM_PKTS_TTL_224_255 oct
342 GTPV1_RAI_LAC u16; 343 GTPV1_RAI_RAC u8; 344 GTPV1_ULI_MCC u16; 345 GTPV1_ULI_MNC u32; 346 NUM_PKTS_TTL_2_5 u32
347 NUM_PKTS_TTL_EQ_1 u32; 348 RTP_SIP_CALL_ID str; 349 IN_SRC_OSI_SAP str; 350 OUT_DST_OSI_SAP str
351 WHOIS_DAS_DOMAIN str; 352 DNS_TTL_ANSWER u32; 353 DHCP_CLIENT_MAC mac; 354 DHCP_CLIENT_IP ip4
355 DHCP_CLIENT_NAME str; 356 FTP_LOGIN str; 357 FTP_PASSWORD str; 358 FTP_COMMAND str; 359 FTP_COMMAND_RET_CODE u16
360 HTTP_METHOD str; 361 HTTP_SITE str; 362 SIP_C_IP str; 363 SIP_CALL_STATE str; 364 EPP_REGISTRAR_NAME oct
365 EPP_CMD oct; 366 EPP_CMD_ARGS oct; 367 EPP_RSP_CODE oct; 368 EPP_REASON_STR oct; 369 EPP_SERVER_NAME oct
370 RTP_IN_MOS u32; 371 RTP_IN_R_FACTOR u32; 372 SRC_PROC_USER_NAME str; 373 SRC_FATHER_PROC_PID u32
374 SRC_FATHER_PROC_NAME str; 375 DST_PROC_PID u32; 376 DST_PROC_NAME str; 377 DST_PROC_USER_NAME str
378 DST_FATHER_PROC_PID u32; 379 DST_FATHER_PROC_NAME str; 380 RTP_RTT u32; 381 RTP_IN_TRANSIT u32
382 RTP_OUT_TRANSIT u32; 383 SRC_PROC_ACTUAL_MEMORY u32; 384 SRC_PROC_PEAK_MEMORY u32
385 SRC_PROC_AVERAGE_CPU_LOAD u32; 386 SRC_PROC_NUM_PAGE_FAULTS u32; 387 DST_PROC_ACTUAL_MEMORY u32
388 DST_PROC_PEAK_MEMORY u32; 389 DST_PROC_AVERAGE_CPU_LOAD u32; 390 DST_PROC_NUM_PAGE_FAULTS u32; 391 DURATION_IN u32
392 DURATION_OUT u32; 393 SRC_PROC_PCTG_IOWAIT u32; 394 DST_PROC_PCTG_IOWAIT u32; 395 RTP_DTMF_TONES str
396 UNTUNNELED_IPV6_SRC_ADDR ip6; 397 UNTUNNELED_IPV6_DST_ADDR ip6; 398 DNS_RESPONSE str
399 DIAMETER_REQ_MSG_TYPE u32; 400 DIAMETER_RSP_MSG_TYPE u32; 401 DIAMETER_REQ_ORIGIN_HOST str
402 DIAMETER_RSP_ORIGIN_HOST str; 403 DIAMETER_REQ_USER_NAME str; 404 DIAMETER_RSP_RESULT_CODE u32
405 DIAMETER_EXP_RES_VENDOR_ID u32; 406 DIAMETER_EXP_RES_RESULT_CODE u32; 407 S1AP_ENB_UE_S1AP_ID u32
408 S1AP_MME_UE_S1AP_ID u32; 409 S1AP_MSG_EMM_TYPE_MME_TO_ENB u8; 410 S1AP_MSG_ESM_TYPE_MME_TO_ENB u8
411 S1AP_MSG_EMM_TYPE_ENB_TO_MME u8; 412 S1AP_MSG_ESM_TYPE_ENB_TO_MME u8; 413 S1AP_CAUSE_ENB_TO_MME u8
414 S1AP_DETAILED_CAUSE_ENB_TO_MME u8; 415 TCP_WIN_MIN_IN u16; 416 TCP_WIN_MAX_IN u16; 417 TCP_WIN_MSS_IN u16
418 TCP_WIN_SCALE_IN u8; 419 TCP_WIN_MIN_OUT u16; 420 TCP_WIN_MAX_OUT u16; 421 TCP_WIN_MSS_OUT u16
422 TCP_WIN_SCALE_OUT u8; 423 DHCP_REMOTE_ID str; 424 DHCP_SUBSCRIBER_ID str; 425 SRC_PROC_UID u32
426 DST_PROC_UID u32; 427 APPLICATION_NAME str; 428 USER_NAME str; 429 DHCP_MESSAGE_TYPE str; 430 RTP_IN_PKT_DROP u32
431 RTP_OUT_PKT_DROP u32; 432 RTP_OUT_MOS u32; 433 RTP_OUT_R_FACTOR u32; 434 RTP_MOS u32
435 GTPV2_S5_S8_GTPC_TEID oct; 436 RTP_R_FACTOR u32; 437 RTP_SSRC u32; 438 PAYLOAD_HASH u32
439 GTPV2_C2S_S5_S8_GTPU_TEID u32; 440 GTPV2_S2C_S5_S8_GTPU_TEID u32; 441 GTPV2_C2S_S5_S8_GTPU_IP ip4
442 GTPV2_S2C_S5_S8_GTPU_IP ip4; 443 SRC_AS_MAP str; 444 DST_AS_MAP str; 445 DIAMETER_HOP_BY_HOP_ID u32
446 UPSTREAM_SESSION_ID u16; 447 DOWNSTREAM_SESSION_ID u32; 448 SRC_IP_LONG str; 449 SRC_IP_LAT str
450 DST_IP_LONG str; 451 DST_IP_LAT str; 452 DIAMETER_CLR_CANCEL_TYPE u32; 453 DIAMETER_CLR_FLAGS u32
454 GTPV2_C2S_S5_S8_GTPC_IP ip4; 455 GTPV2_S2C_S5_S8_GTPC_IP ip4; 456 GTPV2_C2S_S5_S8_SGW_GTPU_TEID u32
457 GTPV2_S2C_S5_S8_SGW_GTPU_TEID u32; 458 GTPV2_C2S_S5_S8_SGW_GTPU_IP ip4; 459 GTPV2_S2C_S5_S8_SGW_GTPU_IP ip4
460 HTTP_X_FORWARDED_FOR str; 461 HTTP_VIA str; 462 SSDP_HOST str; 463 SSDP_USN str; 464 NETBIOS_QUERY_NAME str
465 NETBIOS_QUERY_TYPE str; 466 NETBIOS_RESPONSE str; 467 NETBIOS_QUERY_OS str; 468 SSDP_SERVER str; 469 SSDP_TYPE str
470 SSDP_METHOD str; 471 NPROBE_IPV4_ADDRESS ip4
@41916 viptela
4321 vpnId u64
"""
